package sqlapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	atlassql "atlas-secure/sql"
)

// ErrMissingFunctions means that the database is older than this binary, or so much newer that they do not fit.
var ErrMissingFunctions = errors.New("the database lacks what this release calls (bin/atlas-migrate up brings it up to date)")

// CheckSchema asks whether the database is one that this release can work with: its migrations are at least those that the
// release was built with, and every function is there. A newer database is right as long as it still has them.
func (db *DB) CheckSchema(ctx context.Context) error {
	if err := db.CheckFunctions(ctx); err != nil {
		return err
	}
	version, err := db.Ops.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	if wanted := atlassql.Version(); version < wanted {
		return fmt.Errorf("%w: its newest migration is %d, and this release needs %d", ErrMissingFunctions, version, wanted)
	}
	return nil
}

// signaturesSQL lists what a schema offers: functions with their parameters and columns, and views with their columns.
const signaturesSQL = `
select n.nspname || '.' || p.proname as name,
  coalesce((select array_agg(a.arg order by a.ord) from unnest(p.proargnames) with ordinality as a(arg, ord)
    where p.proargmodes is null or p.proargmodes[a.ord] in ('i', 'b', 'v')), '{}') as params,
  coalesce((select array_agg(a.arg order by a.ord) from unnest(p.proargnames) with ordinality as a(arg, ord)
    where p.proargmodes[a.ord] in ('o', 'b', 't')), '{}') as columns,
  p.pronargdefaults::int as defaults
from pg_catalog.pg_proc as p join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
where n.nspname = any($1::text[])
union all
select n.nspname || '.' || c.relname, '{}',
  (select array_agg(a.attname::text order by a.attnum) from pg_catalog.pg_attribute as a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), 0
from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.relkind = 'v' and n.nspname = any($1::text[])`

type signature struct {
	Name     string   `db:"name"`
	Params   []string `db:"params"`
	Columns  []string `db:"columns"`
	Defaults int      `db:"defaults"`
}

// CheckFunctions asks whether every function and view that this package calls exists, with the parameters and columns
// that it names. Its error lists all that do not.
func (db *DB) CheckFunctions(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, db.statementTimeout)
	defer cancel()
	rows, err := db.pool.Query(ctx, signaturesSQL, schemas())
	if err != nil {
		return translate("check of functions", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[signature])
	if err != nil {
		return translate("check of functions", err)
	}
	byName := make(map[string]signature, len(found))
	for _, each := range found {
		byName[each.Name] = each
	}
	var problems []string
	for _, c := range calls {
		if problem := c.compare(byName); problem != "" {
			problems = append(problems, problem)
		}
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		return fmt.Errorf("%w:\n  - %s", ErrMissingFunctions, strings.Join(problems, "\n  - "))
	}
	return nil
}

func schemas() []string {
	var names []string
	for _, c := range calls {
		schema, _, _ := strings.Cut(c.function, ".")
		names = append(names, schema)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// compare says what is wrong, or "". Parameters that this release does not know must have defaults.
func (c *call) compare(offered map[string]signature) string {
	there, ok := offered[c.function]
	if !ok {
		return c.function + " does not exist"
	}
	if missing := without(c.params, there.Params); len(missing) > 0 {
		return fmt.Sprintf("%s has no parameter %s", c.function, strings.Join(missing, ", "))
	}
	if missing := without(c.columns, there.Columns); len(missing) > 0 {
		return fmt.Sprintf("%s returns no column %s", c.function, strings.Join(missing, ", "))
	}
	mandatory := there.Params[:len(there.Params)-there.Defaults]
	if unknown := without(mandatory, c.params); len(unknown) > 0 {
		return fmt.Sprintf("%s demands the parameter %s", c.function, strings.Join(unknown, ", "))
	}
	return ""
}

// without gives the wanted names that are not among those there.
func without(wanted, there []string) []string {
	var missing []string
	for _, name := range wanted {
		if !slices.Contains(there, name) {
			missing = append(missing, name)
		}
	}
	return missing
}
