// Package psql_test runs the sessions in sql/examples as a DBA would, with psql, and compares what they print with the
// .out files beside them. `go test ./tests/psql -update` writes those.
package psql_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

var update = flag.Bool("update", false, "write the .out files instead of comparing with them")

func TestMain(m *testing.M) { harness.Main(m) }

// examples is where the sessions are.
const examples = "../../sql/examples"

// today is the moment that all sessions run at, so that their output has the same times whenever they run.
var today = time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)

var (
	sessionOf = regexp.MustCompile(`^-- Session of (atlas_[a-z]+_login):`)
	uuids     = regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
)

func TestExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(examples, "*.sql"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sql"), func(t *testing.T) {
			t.Parallel()
			script, err := os.ReadFile(file)
			require.NoError(t, err)
			login := sessionOf.FindSubmatch(script)
			require.NotNil(t, login, "the first line says: -- Session of atlas_…_login: …")

			h := harness.New(t)
			(&desk.Desk{TB: t, Conn: h.Owner}).At(today)
			got := psql(t, h.DSN(harness.Role(login[1])), script)
			got = strings.ReplaceAll(sameUUIDs(got), h.Database, "atlas")

			golden := strings.TrimSuffix(file, ".sql") + ".out"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
				return
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got, "if this is right: go test ./tests/psql -update")
		})
	}
}

// psql runs a script and gives all that a DBA would see.
func psql(t *testing.T, dsn string, script []byte) string {
	t.Helper()
	program, err := exec.LookPath("psql")
	require.NoError(t, err, "psql is missing: install Debian's package postgresql-client")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--no-psqlrc", "--quiet", "--echo-all", "--set", "SHOW_CONTEXT=never", "--dbname", dsn)
	cmd.Env = append(os.Environ(), "PGTZ=UTC", "PGDATESTYLE=ISO", "PGCLIENTENCODING=UTF8", "LC_ALL=C", "PAGER=")
	cmd.Stdin = bytes.NewReader(script)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return string(output)
}

// sameUUIDs numbers random uuids in the order they appear, at their width, so that tables stay in shape.
func sameUUIDs(output string) string {
	numbers := map[string]string{}
	return uuids.ReplaceAllStringFunc(output, func(found string) string {
		if strings.HasSuffix(found, "-0000-4000-8000-000000000000") {
			return found // the script's own
		}
		if numbers[found] == "" {
			numbers[found] = fmt.Sprintf("%08d-0000-4000-8000-000000000000", len(numbers)+1)
		}
		return numbers[found]
	})
}
