package migrate

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVerifyNoticesAnEditedMigration(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.snapshot(t)
	b.write(t, "sql/migrations/00001_tables.sql", tables+"-- edited\n")
	requireOne(t, b.verifyAsIs(t), "migrations are as written", "00001_tables.sql was edited")
}

func TestVerifyNoticesAStaleSnapshot(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.snapshot(t)
	b.write(t, "sql/functions/shop/_prefix.sql", helper("shop._prefix", "thing"))
	b.write(t, "sql/functions/shop/_new.sql", helper("shop._new", "new"))
	b.remove(t, "sql/views/shop/labels.sql")
	failed := b.verifyAsIs(t)
	requireOne(t, failed, "last snapshot", "_prefix.sql is not what")
	requireOne(t, failed, "last snapshot", "_new.sql is in no snapshot")
	requireOne(t, failed, "last snapshot", "labels.sql is gone")
}

func TestVerifyNoticesAHandEditedSnapshot(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.snapshot(t)
	b.write(t, first, strings.Replace(b.read(t, first), "-- +goose Down", "grant execute on function shop._prefix to atlas_dba;\n\n-- +goose Down", 1))
	history, err := loadMigrations(b.project.Migrations())
	require.NoError(t, err)
	b.write(t, "sql/migrations/migrations.sum", formatSums(history))
	failed := b.verify(t)
	require.Contains(t, strings.Join(slices.Collect(maps.Values(failed)), "\n"), "replayed and direct differ")
}

func TestVerifyNoticesAWayDownThatIsNotOne(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.write(t, "sql/migrations/00001_tables.sql", strings.Replace(tables, "alter default privileges grant execute on functions to public;\n", "", 1))
	b.snapshot(t)
	requireOne(t, b.verify(t), "up, down and up again", "version 0 on the way up and version 0 on the way down differ")
}

func TestVerifyNoticesStaleGoldens(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.snapshot(t)
	require.Empty(t, b.verify(t))
	b.write(t, contractGolden, b.read(t, contractGolden)+"\nview shop.imagined (name text)\n")
	require.NoError(t, os.Remove(b.project.Root+"/"+schemaGolden))
	failed := b.verifyAsIs(t)
	requireOne(t, failed, "goldens", "sql/contract.txt is stale")
	requireOne(t, failed, "goldens", "sql/schema.sql is missing")
}

func TestVerifyNoticesABodyThatDoesNotCompile(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.write(t, "sql/functions/shop/broken.sql", function("shop.broken", "", "text", "return select;"))
	b.snapshot(t)
	requireOne(t, b.verify(t), "bodies compile", "shop/broken.sql")
}

func TestVerifyNoticesWhatTheCatalogForbids(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.write(t, "sql/migrations/00001_tables.sql", strings.NewReplacer(
		"comment on column shop.item.name is 'Its name.';", "grant select on shop.item to atlas_bot;",
		"alter default privileges revoke execute on functions from public;", "select;",
		"alter default privileges grant execute on functions to public;", "select;").Replace(tables))
	open := function("shop.open_to_all", "", "text", "return 'x';")
	b.write(t, "sql/functions/shop/open_to_all.sql", strings.Replace(open, "set search_path = pg_catalog, pg_temp\n", "", 1))
	b.write(t, "sql/functions/shop/_prefix.sql", helper("shop._prefix", "item")+
		"\ngrant execute on function shop._prefix to atlas_bot;\n")
	b.snapshot(t)
	failed := b.verify(t)
	for _, problem := range []string{
		"column shop.item.name has no comment",
		"atlas_bot may SELECT on table shop.item",
		"PUBLIC may execute shop.open_to_all",
		"function shop.open_to_all is security definer without search_path",
		"helper shop._prefix is granted to atlas_bot",
	} {
		requireOne(t, failed, "catalog", problem)
	}
}

func TestVerifyAsksPlpgsqlCheck(t *testing.T) {
	t.Parallel()
	b := setup(t, shop())
	b.write(t, "sql/functions/shop/wrong.sql", function("shop.wrong", "", "bigint",
		"return (select i.no_such_column from shop.item i);"))
	b.snapshot(t)
	_, err := b.project.WriteGoldens(b.ctx, adminDSN)
	require.NoError(t, err)
	var checks []Check
	err = Verify(b.ctx, b.project, VerifyOptions{DSN: adminDSN, NoSkips: true, Report: func(c Check) { checks = append(checks, c) }})
	require.ErrorIs(t, err, ErrVerify)
	i := slices.IndexFunc(checks, func(c Check) bool { return c.Name == "plpgsql_check" })
	require.NotEqual(t, -1, i)
	// Without the extension the check says so, and NoSkips makes that a problem.
	require.Regexp(t, "no_such_column|lacks the extension", strings.Join(checks[i].Problems, "\n"))
}

func TestLintOfFiles(t *testing.T) {
	t.Parallel()
	good := function("shop.label", "p_name text", "text", "return p_name;")
	require.Empty(t, lintFile(object{kind: kindFunction, schema: "shop", name: "label", text: good}))
	for problem, text := range map[string]string{
		"creates exactly one thing": strings.Replace(good, "function shop.label(", "function shop.other(", 1),
		"has one `comment on":       strings.Replace(good, "comment on", "-- comment on", 1),
		"lacks `-- Locks:`":         strings.Replace(good, "-- Locks: none.\n", "", 1),
		"lacks `-- Raises:`":        strings.Replace(good, "-- Raises: nothing.\n", "", 1),
		"starts with a comment":     strings.Replace(good, "-- Does what it says.\n", "", 1),
		"raises WA001":              strings.Replace(good, "return", "raise exception using errcode = 'WA001'; return", 1),
		"raises US001":              strings.Replace(good, "return", "perform core._refuse('US001', 'x'); return", 1),
		"when others":               strings.Replace(good, "return p_name;", "exception when others then return p_name;", 1),
		"stands still":              strings.Replace(good, "return p_name;", "return p_name || now();", 1),
		"columns, at most 100":      strings.Replace(good, "return p_name;", "return p_name;"+strings.Repeat(" ", 90)+"-- far", 1),
	} {
		found := lintFile(object{kind: kindFunction, schema: "shop", name: "label", text: text})
		require.Len(t, found, 1, problem)
		require.Contains(t, found[0], problem)
	}
	listed := strings.Replace(good, "Raises: nothing.", "Raises: US001 (no such user),\n--   WA001.", 1)
	listed = strings.Replace(listed, "return", "perform core._refuse('WA001', 'x'); return", 1)
	require.Empty(t, lintFile(object{kind: kindFunction, schema: "shop", name: "label", text: listed}))
}

func TestGooseYAMLIsWhatIsBuiltIn(t *testing.T) {
	t.Parallel()
	p, err := OpenProject(".", "")
	require.NoError(t, err)
	require.Equal(t, DefaultConfig(), p.Config)
	require.Contains(t, p.Config.Environment(), "export GOOSE_TABLE='public.goose_db_version'")
}

func TestConfigNamesAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/goose.yaml"
	require.NoError(t, os.WriteFile(path, []byte("dialect: mysql\ntable: nowhere\nlock: {id: 0, poll: 1ms, wait: 1s}\n"), 0o600))
	_, err := LoadConfig(path)
	for _, problem := range []string{"dialect:", "table:", "role:", "folders:", "lock.id:", "lock.poll:", "timeouts:"} {
		require.ErrorContains(t, err, problem)
	}
	require.NoError(t, os.WriteFile(path, []byte("dsn: postgres://secret\n"), 0o600))
	_, err = LoadConfig(path)
	require.ErrorContains(t, err, "dsn", "a DSN has no place here")
}

// requireOne requires that the check whose name contains part found the problem.
func requireOne(t *testing.T, failed map[string]string, part, problem string) {
	t.Helper()
	for name, problems := range failed {
		if strings.Contains(name, part) {
			require.Contains(t, problems, problem)
			return
		}
	}
	require.Failf(t, "no such failure", "%q of %v", part, failed)
}
