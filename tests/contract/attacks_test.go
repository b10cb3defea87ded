package contract_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// params are the names and types of a function's parameters.
func (b *bundle) params(function string) []Row {
	b.Helper()
	return b.owner.Query(`select unnest(p.proargnames[1:p.pronargs]) as name, unnest(p.proargtypes::regtype[])::text as type
		from pg_proc p where p.oid = $1::regproc order by 1`, function)
}

// inside runs a call as the owner, lets somebody look at what it did, and undoes it.
func (w world) inside(function string, args A, look func(inside *bundle)) error {
	w.Helper()
	ctx := context.Background()
	tx, err := w.harness.Owner.Begin(ctx)
	require.NoError(w, err)
	defer func() { _ = tx.Rollback(ctx) }()
	d := w.On(w, tx)
	if _, err := d.Try(function, args); err != nil {
		return err
	}
	look(&bundle{Desk: d, owner: d, harness: w.harness})
	return nil
}

// TestX1NumericAbuse tries the edges of its type in every number that any function takes: it is refused with a SQLSTATE of
// the contract and no row changes, or it is a legitimate value and the books balance with it.
func TestX1NumericAbuse(t *testing.T) {
	w := newWorld(t)
	edges := map[string][]any{
		"bigint":  {nil, 0, -1, math.MaxInt64, math.MinInt64, 1 << 53, 1 << 41},
		"integer": {nil, 0, -1, math.MaxInt32, math.MinInt32},
	}
	known := map[string]bool{"22023": true}
	for _, row := range w.owner.Query("select sqlstate::text from core.refusal") {
		known[row["sqlstate"].(string)] = true
	}
	refused, accepted := 0, []string{}
	for _, f := range catalogue() {
		before := w.fingerprint()
		for _, param := range w.params(f.name) {
			name := param["name"].(string)
			for _, edge := range edges[param["type"].(string)] {
				err := w.inside(f.name, f.args(w).With(name, edge), func(inside *bundle) { inside.Reconciled() })
				if err == nil {
					accepted = append(accepted, fmt.Sprintf("%s %s => %v", f.name, name, edge))
					continue
				}
				refused++
				require.True(t, known[desk.Code(err)], "%s %s => %v: %v", f.name, name, edge, err)
			}
		}
		require.Equal(t, before, w.fingerprint(), f.name)
	}
	t.Logf("%d refused; accepted: %q", refused, accepted)
	require.Greater(t, refused, 500)
	for _, each := range accepted { // an amount is never among them, but for null where the contract says so
		if strings.Contains(each, "_kopecks") || strings.Contains(each, "_amount_minor") {
			require.Regexp(t, `^billing\.resolve_suspense p_amount_kopecks => <nil>$|^billing\.(settle|reverse)_payment p_amount_minor => \d+$|`+
				`^billing\.precheck p_amount_minor => \d+$`, each)
		}
	}
}

// injections are texts that do something where they are pasted into SQL, a pattern, a format or an identifier.
var injections = []string{
	`x'); delete from account.account; --`, `"; drop schema billing cascade; --`, `%I%L%s%1$s$$`, `\'; reset role; --`,
	`x'||(select code from promo.code limit 1)||'`,
}

// TestX2Injections gives every text argument of every function texts that would break out of a statement, and a plain one
// that is as long. What is taken does the same with either, and is kept letter by letter.
func TestX2Injections(t *testing.T) {
	w := newWorld(t)
	kept, refused := 0, 0
	for _, f := range catalogue() {
		for _, param := range w.params(f.name) {
			name := param["name"].(string)
			if param["type"] != "text" {
				continue
			}
			for _, text := range injections {
				args := f.args(w)
				var want map[string]int
				plain := strings.Repeat("p", utf8.RuneCountInString(text))
				taken := w.inside(f.name, args.With(name, plain), func(inside *bundle) { want = inside.found(plain) })
				err := w.inside(f.name, args.With(name, text), func(inside *bundle) {
					require.Equal(t, want, inside.found(text), "%s %s => %q", f.name, name, text)
				})
				if err == nil {
					require.NoError(t, taken, "%s %s => %q", f.name, name, text)
					kept++
					continue
				}
				refused++
				require.NotRegexp(t, "^(42|XX)", desk.Code(err), "%s %s => %q: %v", f.name, name, text, err)
				if taken == nil { // a form that only some texts have
					require.Contains(t, []string{"22023", "PR006", "PU004"}, desk.Code(err), "%s %s => %q", f.name, name, text)
				}
			}
		}
	}
	t.Logf("%d texts were kept, %d refused", kept, refused)
	require.Positive(t, kept)
	require.Positive(t, refused)
}

// found is how many rows every table has, and in how many of them a text is.
func (b *bundle) found(text string) map[string]int {
	b.Helper()
	if tablesOf == "" {
		parts := []string{}
		for _, row := range b.owner.Query(`
			select format('select %L, count(*)::int, count(*) filter (where position($1 in concat_ws(e''\n'', %s)) > 0)::int from %s',
			              c.oid::regclass, string_agg(case when y.typname = 'jsonb' then format('(select string_agg(v.value, e''\n'') from '
			                || 'jsonb_each_text(case jsonb_typeof(%I) when ''object'' then %I end) v)', a.attname, a.attname)
			                else format('%I::text', a.attname) end, ', '), c.oid::regclass) as sql
			from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
			join pg_type y on y.oid = coalesce(nullif((select d.typbasetype from pg_type d where d.oid = a.atttypid), 0), a.atttypid)
			where c.relkind = 'r' and n.nspname !~ '^pg_|^information_schema$|^public$' and a.attnum > 0 and not a.attisdropped
			  and y.typname in ('text', 'varchar', 'jsonb')
			group by c.oid order by c.oid`) {
			parts = append(parts, row["sql"].(string))
		}
		tablesOf = "select * from (" + strings.Join(parts, " union all ") + ") x (name, n, hits)"
	}
	found := map[string]int{}
	for _, row := range b.owner.Query(tablesOf, text) {
		found[row["name"].(string)] = row["n"].(int)
		found["found in "+row["name"].(string)] = row["hits"].(int)
	}
	return found
}

// tablesOf is the query of found; it is the same in every database of the tests.
var tablesOf string

// TestX6AdminEscalation gives every function for admins the number of somebody who is none: a user, the user whom the call
// is about, a blocked one, a former admin, nobody. Nothing changes, and afterwards the trace that the caller leaves is all.
func TestX6AdminEscalation(t *testing.T) {
	w := newWorld(t)
	for _, id := range []int{7001, 7002} {
		w.User(id)
	}
	w.One("account.block", A{"p_admin_id": boss, "p_telegram_id": 7001, "p_reason": "r"})
	w.One("account.grant_admin", A{"p_telegram_id": 7002, "p_note": "n"})
	w.One("account.revoke_admin", A{"p_telegram_id": 7002, "p_note": "n"})
	tried := 0
	for _, f := range catalogue() {
		args := f.args(w)
		if _, isForAdmins := args["p_admin_id"]; !isForAdmins {
			continue
		}
		for name, actor := range map[string]int{"a user": anna, "another user": bert, "blocked": 7001, "a former admin": 7002, "nobody": nobody} {
			tried++
			before := w.fingerprint()
			w.On(t, w.harness.Admin).Refused("US003", f.name, f.args(w).With("p_admin_id", actor))
			require.Equal(t, before, w.fingerprint(), "%s by %s", f.name, name)
			w.On(t, w.harness.Admin).All("audit.refused", A{"p_actor_id": actor, "p_action": f.name, "p_subject_id": nil, "p_sqlstate": "US003"})
			after := w.fingerprint()
			require.False(t, reflect.DeepEqual(before["audit.entry"], after["audit.entry"]))
			before["audit.entry"] = after["audit.entry"]
			require.Equal(t, before, after, "%s by %s", f.name, name)
			require.Equal(t, 1, w.count("audit.event where action = $1 and actor_id = $2", "refused."+f.name, actor))
		}
	}
	require.Greater(t, tried, 60)
}

// TestX7WhatTheOwnerEditsShows: who owns the tables can take their triggers away and edit, and audit.verify says so.
func TestX7WhatTheOwnerEditsShows(t *testing.T) {
	b := sealedBooks(t)
	for _, edit := range []string{
		"update ledger.transfer set amount_kopecks = amount_kopecks + 1 where telegram_id = 1001 and version = 2",
		"delete from ledger.transfer where telegram_id = 1001 and version = 2", "truncate ledger.transfer cascade",
		"update audit.entry set actor_id = 42 where entry_id = 2", "delete from audit.entry where entry_id = 2",
		"truncate audit.entry cascade", "update audit.batch set sealed_rows = sealed_rows + 1 where batch_id = 1",
		"delete from audit.batch where batch_id = 1",
	} {
		require.NotNil(t, b.tampered(edit), edit)
	}
	require.Nil(t, b.tampered("select 1"))
}
