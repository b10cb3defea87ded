package contract_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// noHead is the head before the first batch.
var noHead = strings.Repeat("0", 64)

func auditFunctions() []function {
	const verdict = "is_intact boolean, sealed bigint, first_bad text"
	return []function{
		{name: "audit.seal", allowed: "worker", returns: "sealed integer, sealed_rows bigint, head text",
			args: func(world) A { return A{"p_limit": 100} },
			bad:  map[string][]bad{"p_limit": {refuse("22023", nil, 0, -1, 100_001, math.MaxInt32), accept(1, 100_000)}}},
		{name: "audit.verify", reads: true, allowed: "auditor worker", returns: verdict, args: func(world) A { return A{} }},
		{name: "audit.verify_against", reads: true, allowed: "auditor worker", returns: verdict,
			args: func(world) A { return A{"p_sealed": 0, "p_head": noHead} },
			bad: map[string][]bad{"p_sealed": {refuse("22023", nil, -1), accept(1, math.MaxInt64)},
				"p_head": {refuse("22023", nil, "", "0", strings.ToUpper("ab"+noHead[2:]), noHead+"\n", long, control),
					accept("ab" + noHead[2:])}}},
		{name: "audit.head", reads: true, allowed: "auditor worker", returns: "sealed_rows bigint, head text",
			args: func(world) A { return A{} }},
		{name: "audit.list", reads: true, allowed: "admin",
			returns: "event_id text, occurred_at timestamptz, actor_id bigint, actor_name text, action text, subject_id text, details jsonb",
			args: func(world) A {
				return A{"p_admin_id": boss, "p_actor_id": boss, "p_subject_id": "1001", "p_before_id": "t1001.1", "p_limit": 10}
			},
			bad: map[string][]bad{
				"p_actor_id":   {accept(nil, 0, -1, math.MaxInt64)},
				"p_subject_id": {refuse("22023", "", strings.Repeat("s", 257), long), accept(nil, control, "99999999999999999999")},
				"p_before_id": {refuse("22023", "", "x", "e0", "t1", "t1.1", "e1 or true", "e99999999999999999999", long, control),
					accept(nil)}}},
		{name: "audit.refused", allowed: "bot payments admin worker", returns: "void",
			args: func(world) A {
				return A{"p_actor_id": anna, "p_action": "wallet.credit", "p_subject_id": "1", "p_sqlstate": "US003"}
			},
			bad: map[string][]bad{
				"p_actor_id":   {accept(nil, 0, -1, math.MaxInt64)},
				"p_action":     {refuse("22023", nil, "", strings.Repeat("a", 120), long), accept(strings.Repeat("a", 119))},
				"p_subject_id": {refuse("22023", strings.Repeat("s", 257), long), accept(nil, "", control)},
				"p_sqlstate":   {refuse("22023", nil, "", "us003", "US0033", "US 03", long)}}},
	}
}

func TestRefusedLeavesATrace(t *testing.T) {
	b := setup(t)
	b.One("audit.refused", A{"p_actor_id": anna, "p_action": "wallet.credit", "p_subject_id": "1002", "p_sqlstate": "US003"})
	require.Equal(t, []Row{{"actor_id": anna, "action": "refused.wallet.credit", "subject_id": "1002",
		"details": map[string]any{"sqlstate": "US003"}}},
		b.Query(`select actor_id, action, subject_id, details from audit.event where action like 'refused.%'`))
}

// TestCorrelationID sends the id as internal/sqlapi does: set in the transaction of the call.
func TestCorrelationID(t *testing.T) {
	b := setup(t)
	with := func(id, function string, args A) Row {
		ctx := context.Background()
		tx, err := b.harness.DBA.Begin(ctx)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback(ctx) }()
		d := b.On(t, tx)
		d.Query("select set_config('atlas.correlation_id', $1, true)", id)
		row := d.One(function, args)
		require.NoError(t, tx.Commit(ctx))
		return row
	}
	paid := with("u1", "billing.open_purchase", desk.Choice(anna, "basic", 1, "k"))["purchase_id"].(string)
	with("u2", "billing.pay_from_balance", desk.Mine(anna, paid))
	with("u3", "billing.settle_payment", rub("c", unknown, nil, 500))
	with("u4", "account.register", start(2000, "ref_"+b.profile(anna)["referral_code"].(string)))
	with(strings.Repeat("u", 500), "wallet.credit", by(boss, bert, 1, "n", "k"))
	b.Buy(anna, "basic", 1, "without")

	found := map[any][]string{}
	for _, row := range b.owner.Query(`
		select correlation_id as id, 'purchase' as at from billing.purchase where purchase_id = $1
		union all select correlation_id, 'payment ' || charge_id from billing.payment
		union all select correlation_id, 'task ' || name from outbox.task
		union all select correlation_id, action from audit.event where occurred_at > (select min(opened_at) from billing.purchase)
		order by 1, 2`, paid) {
		found[row["id"]] = append(found[row["id"]], row["at"].(string))
	}
	require.Equal(t, map[any][]string{
		"u1":                     {"purchase"},
		"u2":                     {"ledger.purchase", "task add", "task payment_applied"},
		"u3":                     {"alarm.payment_in_suspense", "payment c", "task admin_alarm"},
		"u4":                     {"account.register.bound", "task referral_joined"},
		strings.Repeat("u", 128): {"ledger.admin_credit"},
		nil:                      {"ledger.purchase", "task add", "task payment_applied"},
	}, found, "unset is null, whatever the connection did before")

	ids := map[any]any{}
	for _, row := range append(b.jobs("w", 10), b.claim(10)...) {
		what := row["template"]
		if what == nil {
			what = row["action"]
		}
		ids[what] = row["correlation_id"]
	}
	require.Equal(t, map[any]any{"add": "u2", "payment_applied": "u2", "admin_alarm": "u3"}, ids,
		"the worker goes on with it")
}

// TestAdminsLeaveTraces: whatever an admin changes, audit.event says who it was.
func TestAdminsLeaveTraces(t *testing.T) {
	w := newWorld(t)
	tried := 0
	for _, f := range catalogue() {
		args := f.args(w)
		if _, ok := args["p_admin_id"]; !ok {
			continue
		}
		tried++
		require.True(t, w.leavesTrace(f.name, args.With("p_admin_id", boss)), f.name)
	}
	require.NotZero(t, tried)
}

// leavesTrace tells whether a call of the boss's that changes anything shows in audit.event, and undoes it.
func (w world) leavesTrace(function string, args A) bool {
	w.Helper()
	ctx := context.Background()
	tx, err := w.harness.Owner.Begin(ctx)
	require.NoError(w, err)
	defer func() { _ = tx.Rollback(ctx) }()
	d := w.On(w, tx)
	if function == "account.unblock" { // of nobody who is blocked, it changes nothing
		d.One("account.block", args)
	}
	inside := &bundle{Desk: d, owner: d, harness: w.harness}
	traces := func() int { return inside.count("audit.event where actor_id = $1", boss) }
	before, tables := traces(), inside.fingerprint()
	d.All(function, args)
	return traces() > before || reflect.DeepEqual(tables, inside.fingerprint())
}

// TestAuditList: each way shows the same events in the same order, page by page, each once, and movements of money only
// where an admin made them.
func TestAuditList(t *testing.T) {
	b := setup(t)
	b.User(second)
	b.One("account.grant_admin", A{"p_telegram_id": second, "p_note": "one more"})
	b.Credit(anna, 50000)
	b.Buy(anna, "basic", 1, "k")
	b.One("account.set_vip", A{"p_admin_id": second, "p_telegram_id": anna, "p_is_vip": true})
	b.One("account.set_vip", A{"p_admin_id": boss, "p_telegram_id": bert, "p_is_vip": true})
	b.One("wallet.debit", A{"p_telegram_id": anna, "p_amount_kopecks": 100, "p_admin_id": second, "p_note": "n", "p_idempotency_key": "d"})
	b.One("audit.refused", A{"p_actor_id": anna, "p_action": "wallet.credit", "p_subject_id": nil, "p_sqlstate": "US003"})
	for _, at := range []string{"", "2027-01-01"} {
		if at != "" { // all at one moment: the ids alone keep them apart
			b.owner.Query("alter table audit.entry disable trigger user")
			b.owner.Query("alter table ledger.transfer disable trigger user")
			b.owner.Query("update audit.entry set occurred_at = $1", time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
			b.owner.Query("update ledger.transfer set created_at = $1", time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
		}
		for where, filter := range map[string]A{
			"true":                                 {"p_actor_id": nil, "p_subject_id": nil},
			"actor_id = 1":                         {"p_actor_id": boss, "p_subject_id": nil},
			"actor_id = 5":                         {"p_actor_id": second, "p_subject_id": nil},
			"subject_id = '1001'":                  {"p_actor_id": nil, "p_subject_id": "1001"},
			"subject_id = 'x'":                     {"p_actor_id": nil, "p_subject_id": "x"},
			"actor_id = 5 and subject_id = '1001'": {"p_actor_id": second, "p_subject_id": "1001"},
		} {
			want := []string{}
			for _, row := range b.owner.Query(`select action || ' ' || coalesce(subject_id, '') as line from audit.event
				where (action not like 'ledger.%' or actor_id is not null) and ` + where) {
				want = append(want, row["line"].(string))
			}
			seen, ids, before := []string{}, map[any]bool{}, any(nil)
			for {
				page := b.All("audit.list", filter.With("p_admin_id", boss).With("p_before_id", before).With("p_limit", 2))
				for _, row := range page {
					subject, _ := row["subject_id"].(string)
					seen = append(seen, row["action"].(string)+" "+subject)
					require.False(t, ids[row["event_id"]])
					ids[row["event_id"]] = true
					before = row["event_id"]
				}
				if len(page) < 2 {
					break
				}
			}
			require.ElementsMatch(t, want, seen, "%s %s", where, at)
		}
	}
	newest := b.All("audit.list", A{"p_admin_id": boss, "p_actor_id": second, "p_subject_id": nil, "p_before_id": nil, "p_limit": 1})
	require.Equal(t, "user_5", newest[0]["actor_name"])
	debit := b.All("audit.list", A{"p_admin_id": boss, "p_actor_id": second, "p_subject_id": nil, "p_before_id": nil, "p_limit": 9})
	require.Contains(t, debit, Row{"event_id": "t1001.4", "occurred_at": debit[0]["occurred_at"], "actor_id": second, "actor_name": "user_5",
		"action": "ledger.admin_debit", "subject_id": "1001", "details": map[string]any{"amount_kopecks": 100.0, "note": "n"}})
	require.NotContains(t, fmt.Sprint(debit), "ledger.purchase")
}
