package contract_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
)

func exportFunctions() []function {
	return append(exportWork(), []function{
		{name: "ops.request_export", allowed: "admin", switche: "admin_actions", returns: "export_id bigint, is_replay boolean",
			args: func(w world) A { return wanted("promo_batch", w.owner.Value("select batch_id from promo.batch"), "k") },
			bad: map[string][]bad{"p_kind": {refuse("22023", nil, "", "users", "keys", long, control)},
				"p_batch_id": {refuse("22023", nil), refuse("PR001", 0, -1, math.MaxInt64)}}},
		{name: "ops.list_exports", reads: true, allowed: "admin",
			returns: "export_id bigint, kind text, batch_id bigint, requested_at timestamptz, expected_rows bigint, " +
				"rows_read bigint, rows_sent bigint, parts integer, is_running boolean, last_error text, " +
				"finished_at timestamptz, outcome text",
			args: func(world) A { return A{"p_admin_id": boss, "p_before": 5, "p_limit": 10} },
			bad:  map[string][]bad{"p_before": {accept(nil, 0, -1, math.MaxInt64)}}},
		{name: "ops.cancel_export", allowed: "admin", switche: "admin_actions",
			returns: "export_id bigint, is_cancelled boolean, outcome text",
			args:    func(w world) A { return A{"p_admin_id": boss, "p_export_id": w.export["export_id"]} },
			bad:     map[string][]bad{"p_export_id": {refuse("22023", nil, 0, -1), accept(math.MaxInt64)}}},
	}...)
}

// exportWork is what a worker calls.
func exportWork() []function {
	id := func(more map[string][]bad) map[string][]bad {
		more["p_export_id"] = []bad{refuse("22023", nil), accept(0, -1, math.MaxInt64)}
		return more
	}
	return []function{
		{name: "ops.claim_export", allowed: "worker",
			returns: "export_id bigint, kind text, batch_id bigint, admin_id bigint, language text, requested_at timestamptz, " +
				"expected_rows bigint, reached_id bigint, reached_version bigint, parts integer, rows_sent bigint, attempt integer, " +
				"lease_token uuid, header text[], numbers text[]",
			args: func(world) A { return A{"p_holder": "w", "p_lease": "30 seconds"} }},
		{name: "ops.export_page", reads: true, allowed: "worker", returns: "reached_id bigint, reached_version bigint, cells text[]",
			args: func(w world) A { return page(w.export, 0, 0, 10) },
			bad: id(map[string][]bad{"p_after_id": {refuse("22023", nil), accept(-1, math.MaxInt64)},
				"p_after_version": {refuse("22023", nil), accept(-1, math.MaxInt64)},
				"p_limit":         {refuse("22023", nil, 0, -1, 5001), accept(5000)}})},
		{name: "ops.keep_export", allowed: "worker", returns: "goes_on boolean, outcome text, kept_at timestamptz",
			args: func(w world) A { return held(w.export).With("p_lease", "30 seconds").With("p_rows_read", 1) },
			bad:  id(map[string][]bad{"p_rows_read": {refuse("22023", nil, -1, math.MaxInt64), accept(0)}})},
		{name: "ops.record_part", allowed: "worker", returns: "is_recorded boolean, outcome text",
			args: func(w world) A { return part(w.export, 1, 3, 1002, true) },
			bad: id(map[string][]bad{"p_part": {refuse("22023", nil, 0, -1, 2, math.MaxInt32)},
				"p_rows":            {refuse("22023", nil, -1, math.MaxInt64), accept(0)},
				"p_reached_id":      {refuse("22023", nil), accept(0, -1, math.MaxInt64)},
				"p_reached_version": {refuse("22023", nil), accept(0, -1, math.MaxInt64)}, "p_is_last": {refuse("22023", nil)}})},
		{name: "ops.fail_export", allowed: "worker", returns: "is_recorded boolean, next_attempt_at timestamptz",
			args: func(w world) A { return held(w.export).With("p_error", "no").With("p_is_unreachable", false) },
			bad:  id(map[string][]bad{"p_is_unreachable": {refuse("22023", nil)}})},
		{name: "ops.release_export", allowed: "worker", returns: "is_recorded boolean, next_attempt_at timestamptz",
			args: func(w world) A { return held(w.export).With("p_error", "later").With("p_wait", "5 seconds") },
			bad:  id(map[string][]bad{"p_wait": {refuse("22023", nil, "-1 second", "25 hours"), accept("0", "1 day")}})},
	}
}

// wanted is the arguments of ops.request_export.
func wanted(kind string, batch any, key string) A {
	return A{"p_admin_id": boss, "p_kind": kind, "p_batch_id": batch, "p_idempotency_key": key}
}

func held(export Row) A {
	return A{"p_export_id": export["export_id"], "p_lease_token": export["lease_token"]}
}

func page(export Row, afterID, afterVersion any, limit int) A {
	return held(export).With("p_after_id", afterID).With("p_after_version", afterVersion).With("p_limit", limit)
}

func part(export Row, number, rows int, reached any, isLast bool) A {
	return held(export).With("p_part", number).With("p_rows", rows).With("p_reached_id", reached).With("p_reached_version", 0).
		With("p_is_last", isLast)
}

// claimExport is the next export that a worker may send, which there must be.
func (b *bundle) claimExport() Row {
	b.Helper()
	return b.One("ops.claim_export", A{"p_holder": "w", "p_lease": "30 seconds"})
}

// exports are the boss's.
func (b *bundle) exports() []Row {
	b.Helper()
	return b.All("ops.list_exports", A{"p_admin_id": boss, "p_before": nil, "p_limit": 100})
}

func (b *bundle) keeps(export Row) Row {
	b.Helper()
	return pick(b.One("ops.keep_export", held(export).With("p_lease", "30 seconds").With("p_rows_read", 0)), "goes_on", "outcome")
}

// endings are what the audit has of exports that ended.
func (b *bundle) endings() []any {
	b.Helper()
	outcomes := []any{}
	for _, row := range b.Query("select details ->> 'outcome' as outcome from audit.event where action = 'ops.export_ended' order by occurred_at") {
		outcomes = append(outcomes, row["outcome"])
	}
	return outcomes
}

// TestExportIsAskedForOnce: one of a kind is under way at a time, and a key is answered with what it was answered with.
func TestExportIsAskedForOnce(t *testing.T) {
	b := setup(t)
	b.admin(bert)
	first := b.One("ops.request_export", wanted("users", nil, "a"))
	require.Equal(t, false, first["is_replay"])
	again := Row{"export_id": first["export_id"], "is_replay": true}
	require.Equal(t, again, b.One("ops.request_export", wanted("users", nil, "a")))
	require.Equal(t, again, b.One("ops.request_export", wanted("users", nil, "b")), "it is under way")
	b.Refused("ID001", "ops.request_export", wanted("ledger", nil, "a"))
	b.Refused("ID001", "ops.request_export", wanted("ledger", nil, "b"))

	require.Equal(t, false, b.One("ops.request_export", wanted("ledger", nil, "c"))["is_replay"], "another kind")
	require.Equal(t, false, b.One("ops.request_export", wanted("users", nil, "a").With("p_admin_id", bert))["is_replay"], "another admin's")
	var batches []any
	for _, key := range []string{"1", "2"} {
		batch := b.All("promo.issue_batch", batchOf(1, 10, key))[0]["batch_id"]
		batches = append(batches, b.One("ops.request_export", wanted("promo_batch", batch, "batch "+key))["export_id"])
		b.Refused("ID001", "ops.request_export", wanted("promo_batch", batch, "a"))
	}
	require.NotEqual(t, batches[0], batches[1], "another batch")

	require.Equal(t, true, b.One("ops.cancel_export", A{"p_admin_id": boss, "p_export_id": first["export_id"]})["is_cancelled"])
	require.Equal(t, again, b.One("ops.request_export", wanted("users", nil, "a")), "a key stays with its answer")
	require.Equal(t, again, b.One("ops.request_export", wanted("users", nil, "b")), "the one that joined, too")
	next := b.One("ops.request_export", wanted("users", nil, "d"))
	require.Equal(t, false, next["is_replay"], "nothing is under way any more")
	require.NotEqual(t, first["export_id"], next["export_id"])
	require.Equal(t, 6, b.Value("select count(*) from audit.event where action = 'ops.request_export'"), "each export once")
	b.Reconciled()
}

func TestExportsAreListed(t *testing.T) {
	b := setup(t)
	b.admin(bert)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	ids := []any{}
	for i, kind := range []string{"users", "subscriptions", "ledger"} {
		ids = append(ids, b.One("ops.request_export", wanted(kind, nil, fmt.Sprint(i)))["export_id"])
	}
	b.One("ops.request_export", wanted("ledger", nil, "bert's").With("p_admin_id", bert))
	b.Buy(anna, "basic", 1, "later")
	require.Equal(t, Row{"export_id": ids[0], "kind": "users", "batch_id": nil, "requested_at": at, "expected_rows": 3, "rows_read": 0,
		"rows_sent": 0, "parts": 0, "is_running": false, "last_error": nil, "finished_at": nil, "outcome": nil}, b.exports()[2])
	require.Equal(t, []any{1, 0}, []any{b.exports()[0]["expected_rows"], b.exports()[1]["expected_rows"]}, "when it was asked for")
	list := func(before any) []any {
		var found []any
		for _, row := range b.All("ops.list_exports", A{"p_admin_id": boss, "p_before": before, "p_limit": 2}) {
			found = append(found, row["export_id"])
		}
		return found
	}
	require.Equal(t, []any{ids[2], ids[1]}, list(nil))
	require.Equal(t, []any{ids[0]}, list(ids[1]))

	cancel := A{"p_admin_id": bert, "p_export_id": ids[0]}
	require.Equal(t, Row{"export_id": ids[0], "is_cancelled": false, "outcome": nil}, b.One("ops.cancel_export", cancel), "another's")
	require.Nil(t, b.exports()[2]["outcome"])
	cancel = cancel.With("p_admin_id", boss)
	require.Equal(t, Row{"export_id": ids[0], "is_cancelled": true, "outcome": "cancelled"}, b.One("ops.cancel_export", cancel))
	require.Equal(t, Row{"export_id": ids[0], "is_cancelled": false, "outcome": "cancelled"}, b.One("ops.cancel_export", cancel))
	require.Equal(t, Row{"finished_at": at, "outcome": "cancelled"}, pick(b.exports()[2], "finished_at", "outcome"))
	require.Equal(t, []any{"cancelled"}, b.endings())
	require.Equal(t, boss, b.Value("select actor_id from audit.event where action = 'ops.export_ended'"))
}

// TestExpectedRowsOfManyAreEstimated: nobody counts a million rows to draw a screen.
func TestExpectedRowsOfManyAreEstimated(t *testing.T) {
	b := setup(t)
	b.Buy(anna, "basic", 1, "k")
	size := func(kind string) any {
		return b.owner.Value("select ops._export_size($1::text::ops.export_kind, null, core.now())", kind)
	}
	require.Equal(t, []any{3, 1, 2}, []any{size("users"), size("subscriptions"), size("ledger")})
	_, err := b.session(harness.Superuser, "estimates").Exec(t.Context(), `
		update pg_class set reltuples = case relname when 'subscription' then 20001 else 1000000 end
		where oid in ('account.account'::regclass, 'ledger.transfer'::regclass, 'subscription.subscription'::regclass)`)
	require.NoError(t, err)
	require.Equal(t, []any{1_000_000, 1_000_000}, []any{size("users"), size("ledger")})
	require.Contains(t, []any{0, 20001}, size("subscriptions"), "all of those looked at, or none was")
}

// TestOldExportsAreRemoved with the calls that asked for them, and what is under way stays.
func TestOldExportsAreRemoved(t *testing.T) {
	b := setup(t)
	b.One("ops.request_export", wanted("users", nil, "old"))
	b.One("ops.record_part", part(b.claimExport(), 1, 3, 1002, true))
	b.One("ops.request_export", wanted("ledger", nil, "open"))
	b.owner.Later("29 days")
	b.One("ops.purge_due", A{"p_epoch": nil, "p_limit": 100})
	require.Equal(t, 2, b.count("ops.export"))
	b.owner.Later("31 days")
	b.One("ops.purge_due", A{"p_epoch": nil, "p_limit": 100})
	require.Equal(t, "ledger", b.exports()[0]["kind"])
	require.Equal(t, 1, b.count("ops.export"))
	require.Equal(t, 1, b.count("ops.export_request"))
	require.Equal(t, []any{"done"}, b.endings(), "the audit stays")
}
