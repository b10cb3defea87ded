// Package isolation_test lets two sessions call the SQL contract in exact orders, with isolationtester: every pair of
// functions that can meet on one user (pairs/), and the scenarios where the order is everything (scenarios/). What came
// of each is checked in beside the spec; `go test ./tests/isolation -update` writes it anew, and its diff is what has to
// be read.
package isolation_test

import (
	"bytes"
	"context"
	_ "embed"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

var (
	isUpdate = flag.Bool("update", false, "write specs and outputs instead of comparing them")
	isLong   = flag.Bool("long", false, "compare all pairs with their sequence, and play all without the advisory lock")
)

const (
	part     = 20 // of so many pairs one, where not all of them are compared
	stages   = 4  // databases that specs are played in at once: each of them mostly waits
	patience = 20 * time.Minute
)

//go:embed testdata/scenes.sql
var scenes string

// stage is a database with scenes.
type stage struct {
	harness *harness.Bundle
	dsn     string    // a superuser's
	conn    *pgx.Conn // the same one's
}

func newStage(t *testing.T) *stage {
	t.Helper()
	requireTester(t)
	h := harness.New(t)
	conn, err := pgx.Connect(context.Background(), h.DSN(harness.Superuser))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	s := &stage{h, h.DSN(harness.Superuser), conn}
	s.exec(t, scenes)
	return s
}

func (s *stage) exec(t *testing.T, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := s.conn.Exec(ctx, sql)
	require.NoError(t, err)
}

// tester is the path of isolationtester: the newest that is installed.
var tester = sync.OnceValue(func() string {
	const inside = "pgxs/src/test/isolation/isolationtester"
	candidates, _ := filepath.Glob("/usr/lib/postgresql/*/lib/" + inside)
	slices.Sort(candidates)
	if out, err := exec.CommandContext(context.Background(), "pg_config", "--pkglibdir").Output(); err == nil {
		candidates = append([]string{filepath.Join(strings.TrimSpace(string(out)), inside)}, candidates...)
	}
	for _, path := range slices.Backward(candidates) {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
})

// play runs a spec and gives what isolationtester wrote.
func (s *stage) play(spec string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, tester(), s.dsn) // #nosec G204 -- a fixed program, found where Debian installs it
	cmd.Stdin = strings.NewReader(spec)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		return string(out), &playError{err, complaints.String()}
	}
	return string(out), nil
}

// playError is a run of isolationtester that did not come to its end.
type playError struct {
	err        error
	complaints string
}

func (f *playError) Error() string {
	if f.err == nil {
		return "isolationtester: " + f.complaints
	}
	return "isolationtester: " + f.err.Error() + ": " + f.complaints
}

func requireTester(t *testing.T) {
	t.Helper()
	if tester() == "" {
		t.Fatal("isolationtester is missing: apt-get install -y postgresql-client-15 (or of your server's version)")
	}
}

// playAll does something on so many stages at once, for each of a list, and gives a channel for each that is closed when
// that is done.
func playAll(t *testing.T, n int, play func(s *stage, i int)) []chan struct{} {
	t.Helper()
	done := make([]chan struct{}, n)
	queue := make(chan int, n)
	for i := range n {
		done[i] = make(chan struct{})
		queue <- i
	}
	close(queue)
	var workers sync.WaitGroup
	for range min(stages, n) {
		s := newStage(t)
		workers.Go(func() {
			for i := range queue {
				play(s, i)
				close(done[i])
			}
		})
	}
	t.Cleanup(workers.Wait) // before the databases go
	return done
}

// sameAs compares a text with a checked-in file, or writes the file.
func sameAs(t *testing.T, file, got string) {
	t.Helper()
	if *isUpdate {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
		return
	}
	require.Equal(t, readFile(t, file), got, "%s: is that how it should be? Then -update writes it", file)
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file) // #nosec G304 -- a file of this folder
	require.NoError(t, err, "go test ./tests/isolation -update writes it")
	return string(raw)
}

// filesIn lists a folder's files, by their paths from here.
func filesIn(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	files := make([]string, len(entries))
	for i, entry := range entries {
		files[i] = filepath.Join(folder, entry.Name())
	}
	return files
}
