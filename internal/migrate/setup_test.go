package migrate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/postgres"
)

// adminDSN is a superuser of the server that the tests of this package share.
var adminDSN string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	server, err := postgres.Start(ctx, postgres.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	adminDSN = server.DSN(postgres.Superuser, "postgres")
	code := m.Run()
	if err := server.Stop(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

type bundle struct {
	ctx     context.Context
	project Project
	scratch *scratch
}

// setup makes a small project in a temporary folder: one schema, one table, and the given files on top.
func setup(t *testing.T, files map[string]string) bundle {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	b := bundle{ctx: ctx, project: Project{Root: t.TempDir(), Config: DefaultConfig()}}
	b.write(t, "sql/migrations/00001_tables.sql", tables)
	for file, text := range files {
		b.write(t, file, text)
	}
	var err error
	b.scratch, err = openScratch(ctx, b.project.Config, adminDSN)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.scratch.close()) })
	return b
}

func (b bundle) write(t *testing.T, file, text string) {
	t.Helper()
	path := filepath.Join(b.project.Root, filepath.FromSlash(file))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func (b bundle) remove(t *testing.T, file string) {
	t.Helper()
	require.NoError(t, os.Remove(filepath.Join(b.project.Root, filepath.FromSlash(file))))
}

func (b bundle) read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(b.project.Root, filepath.FromSlash(file)))
	require.NoError(t, err)
	return string(raw)
}

func (b bundle) snapshot(t *testing.T) string {
	t.Helper()
	file, err := b.project.WriteSnapshot()
	require.NoError(t, err)
	return file
}

// release writes a changelog with a version: from here on migrations are for ever.
func (b bundle) release(t *testing.T) {
	t.Helper()
	b.write(t, "CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n## [1.0.0] - 2026-01-01\n")
}

// verify returns the checks that found problems, by name, with these.
func (b bundle) verify(t *testing.T) map[string]string {
	t.Helper()
	_, err := b.project.WriteGoldens(b.ctx, adminDSN)
	require.NoError(t, err)
	return b.verifyAsIs(t)
}

func (b bundle) verifyAsIs(t *testing.T) map[string]string {
	t.Helper()
	failed := map[string]string{}
	err := Verify(b.ctx, b.project, VerifyOptions{DSN: adminDSN, Report: func(c Check) {
		if len(c.Problems) > 0 {
			failed[c.Name] = strings.Join(c.Problems, "\n")
		}
	}})
	if len(failed) == 0 {
		require.NoError(t, err)
	} else {
		require.ErrorIs(t, err, ErrVerify)
	}
	return failed
}

const tables = `-- +goose Up
alter default privileges revoke execute on functions from public;
create schema shop;
comment on schema shop is 'A shop.';
grant usage on schema shop to atlas_bot;
create table shop.item (name text constraint item_pkey primary key);
comment on table shop.item is 'What is sold.';
comment on column shop.item.name is 'Its name.';

-- +goose Down
drop table shop.item;
drop schema shop;
alter default privileges grant execute on functions to public;
`

// function is the text of a well-made function file.
func function(name, parameters, result, body string) string {
	return fmt.Sprintf(`-- Does what it says.
-- Locks: none.
-- Raises: nothing.
create or replace function %[1]s(%[2]s)
returns %[3]s
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  %[4]s
end
$$;

comment on function %[1]s is 'Does what it says.';

grant execute on function %[1]s to atlas_bot;
`, name, parameters, result, body)
}

// helper is the text of a function file that is granted to nobody; its answer starts with a word.
func helper(name, word string) string {
	body := fmt.Sprintf("return (select '%s ' || count(*) from shop.item i);", word)
	text, _, _ := strings.Cut(function(name, "", "text", body), "\ngrant")
	return text
}

func view(name, query string) string {
	return fmt.Sprintf(`create view %[1]s as
%[2]s;

comment on view %[1]s is 'Shows it.';
comment on column %[1]s.name is 'Its name.';

grant select on %[1]s to atlas_bot;
`, name, query)
}

// shop is a project with a helper, a function that uses it, and a view that uses the function.
func shop() map[string]string {
	return map[string]string{
		"sql/functions/shop/_prefix.sql": helper("shop._prefix", "item"),
		"sql/functions/shop/label.sql": function("shop.label", "p_name text", "text",
			"return shop._prefix() || p_name;"),
		"sql/views/shop/labels.sql": view("shop.labels", "select shop.label(i.name) as name from shop.item i"),
	}
}
