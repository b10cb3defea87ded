package mutants_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
	"atlas-secure/tests/mutants"
)

func TestMain(m *testing.M) { harness.Main(m) }

// TestEveryMutantCanBePlanted: each still finds its text, and what comes of it is a function that plpgsql_check finds no
// error in. What then fails a test is the mistake, not a misspelled column.
func TestEveryMutantCanBePlanted(t *testing.T) {
	t.Parallel()
	h := harness.New(t)
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, h.DSN(harness.Superuser))
	require.NoError(t, err)
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, "create extension plpgsql_check")
	require.NoError(t, err, "install Debian's package postgresql-<version>-plpgsql-check")

	seen := map[string]bool{}
	for _, m := range mutants.All() {
		require.False(t, seen[m.Name], "two mutants are called %q", m.Name)
		seen[m.Name] = true
		tx, err := conn.Begin(ctx)
		require.NoError(t, err)
		if err := m.Plant(ctx, tx); err != nil {
			t.Error(err)
		} else {
			for _, function := range m.Functions() {
				rows, err := tx.Query(ctx, faults, function)
				require.NoError(t, err, m.Name)
				found, err := pgx.CollectRows(rows, pgx.RowTo[string])
				require.NoError(t, err, m.Name)
				if len(found) > 0 {
					t.Errorf("mutant %s: %s: %s", m.Name, function, strings.Join(found, "; "))
				}
			}
		}
		require.NoError(t, tx.Rollback(ctx))
	}
}

const faults = `
select c.message from pg_proc p join pg_language l on l.oid = p.prolang
cross join lateral plpgsql_check_function_tb(p.oid, fatal_errors => false, other_warnings => false,
  performance_warnings => false, extra_warnings => false) c
where p.oid = $1::regproc and l.lanname = 'plpgsql' and c.level = 'error'`

func TestAFunctionThatHasChangedSaysSo(t *testing.T) {
	t.Parallel()
	h := harness.New(t)
	m, err := mutants.Find("balance that nobody checks")
	require.NoError(t, err)
	require.NoError(t, m.Plant(context.Background(), h.Owner))
	require.ErrorContains(t, m.Plant(context.Background(), h.Owner), "ledger._post has changed: plant the mistake anew")

	_, err = mutants.Find("no such mistake")
	require.ErrorContains(t, err, `there is no mutant "no such mistake"`)
}

func TestEveryMutantNamesATestThatIsThere(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	for _, m := range mutants.All() {
		if tests[m.Package] == nil {
			files, err := filepath.Glob(filepath.Join("..", m.Package, "*_test.go"))
			require.NoError(t, err)
			for _, file := range files {
				source, err := os.ReadFile(file)
				require.NoError(t, err)
				for _, match := range declared.FindAllStringSubmatch(string(source), -1) {
					tests[m.Package] = append(tests[m.Package], match[1])
				}
			}
		}
		name, _, _ := strings.Cut(m.Test, "/")
		pattern := regexp.MustCompile("^" + name + "$")
		found := false
		for _, test := range tests[m.Package] {
			found = found || pattern.MatchString(test)
		}
		require.True(t, found, "mutant %s: no test in tests/%s is called %s", m.Name, m.Package, name)
	}
}
