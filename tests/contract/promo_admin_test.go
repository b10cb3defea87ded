package contract_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func promoAdminFunctions() []function {
	page := map[string][]bad{"p_before": {accept(nil, 0, math.MaxInt64)}, "p_is_usable": {refuse("22023", nil)}}
	return []function{
		{name: "promo.list", reads: true, allowed: "admin", bad: page,
			returns: "promo_id bigint, code text, discount_percent integer, max_uses integer, expires_at timestamptz, is_active boolean",
			args:    func(world) A { return A{"p_admin_id": boss, "p_is_usable": true, "p_before": 5, "p_limit": 10} }},
		{name: "promo.find", reads: true, allowed: "admin", returns: "promo_id bigint, code text",
			args: func(world) A { return A{"p_admin_id": boss, "p_code": "HOT"} },
			bad:  map[string][]bad{"p_code": {refuse("22023", nil), refuse("PR006", "", "AB", long, control), refuse("PR001", "COLD"), accept(" hot\n")}}},
		{name: "promo.card", reads: true, allowed: "admin",
			returns: "promo_id bigint, code text, discount_percent integer, max_uses integer, per_user_limit integer, " +
				"expires_at timestamptz, is_active boolean, is_expired boolean, issued_at timestamptz, issued_by bigint, " +
				"issued_by_username text, disabled_at timestamptz, disabled_by bigint, disabled_by_username text, batch_id bigint, " +
				"uses bigint, uses_left bigint, counted bigint, reserved bigint, consumed bigint, refunded bigint, " +
				"revenue_kopecks bigint, discount_kopecks bigint",
			args: func(w world) A { return A{"p_admin_id": boss, "p_promo_id": w.promoID("HOT")} },
			bad:  map[string][]bad{"p_promo_id": {refuse("22023", nil, 0, -1), refuse("PR001", math.MaxInt64)}}},
		{name: "promo.issue_batch", allowed: "admin", switche: "admin_actions",
			returns: "batch_id bigint, promo_id bigint, code text, is_replay boolean",
			args:    func(world) A { return batchOf(3, 10, "k") },
			bad: map[string][]bad{
				"p_count":            {refuse("22023", nil, 0, -1, 101), accept(1, 100)},
				"p_discount_percent": {refuse("22023", nil, 0, -1, 101), accept(1, 100)},
				"p_max_uses":         {refuse("22023", 0, -1, 1_000_001), accept(nil, 1, 1_000_000)},
				"p_per_user_limit":   {refuse("22023", 0, -1, 1001), accept(nil, 1000)},
				"p_expires_at":       {refuse("22023", "infinity", "-infinity"), accept(nil, "2020-01-01")}}},
		{name: "promo.list_batches", reads: true, allowed: "admin", bad: page,
			returns: "batch_id bigint, code_count integer, discount_percent integer, max_uses integer, per_user_limit integer, " +
				"expires_at timestamptz, issued_at timestamptz, issued_by bigint, issued_by_username text",
			args: func(world) A { return A{"p_admin_id": boss, "p_before": 5, "p_limit": 10} }},
		{name: "promo.list_batch", reads: true, allowed: "admin",
			returns: "batch_id bigint, promo_id bigint, code text, is_active boolean, is_used boolean",
			args: func(w world) A {
				return A{"p_admin_id": boss, "p_batch_id": w.owner.Value("select batch_id from promo.batch")}
			},
			bad: map[string][]bad{"p_batch_id": {refuse("22023", nil, 0, -1), refuse("PR001", math.MaxInt64)}}},
	}
}

// batchOf is the arguments of promo.issue_batch.
func batchOf(count, percent int, key string) A {
	return A{"p_admin_id": boss, "p_count": count, "p_discount_percent": percent, "p_max_uses": 1, "p_per_user_limit": 1,
		"p_expires_at": nil, "p_idempotency_key": key}
}

func (b *bundle) promoID(code string) any {
	b.Helper()
	return b.One("promo.find", A{"p_admin_id": boss, "p_code": code})["promo_id"]
}

func TestPromoBatch(t *testing.T) {
	b := setup(t)
	b.User(second)
	b.One("account.grant_admin", A{"p_telegram_id": second, "p_note": "one more"})
	made := b.All("promo.issue_batch", batchOf(100, 25, "k"))
	require.Len(t, made, 100)
	codes := map[any]bool{}
	for _, row := range made {
		codes[row["code"]] = true
		require.Equal(t, false, row["is_replay"])
		require.Equal(t, made[0]["batch_id"], row["batch_id"])
		require.Regexp(t, `^[A-HJ-NP-Z2-9]{10}$`, row["code"])
	}
	require.Len(t, codes, 100)
	again := b.All("promo.issue_batch", batchOf(100, 25, "k"))
	for i, row := range again {
		made[i]["is_replay"] = true
		require.Equal(t, made[i], row)
	}
	require.Equal(t, 100, b.count("promo.code"))
	b.Refused("ID001", "promo.issue_batch", batchOf(99, 25, "k"))
	b.Refused("ID001", "promo.issue_batch", batchOf(100, 26, "k"))
	other := b.All("promo.issue_batch", batchOf(1, 25, "k").With("p_admin_id", second))
	require.NotEqual(t, made[0]["batch_id"], other[0]["batch_id"], "keys are each admin's own")

	b.issue("ALONE", 10)
	list := b.All("promo.list", A{"p_admin_id": boss, "p_is_usable": true, "p_before": nil, "p_limit": 100})
	require.Len(t, list, 1, "a batch does not fill the list of codes")
	batches := func(before any) []Row {
		return b.All("promo.list_batches", A{"p_admin_id": boss, "p_before": before, "p_limit": 1})
	}
	newest := batches(nil)[0]
	require.Equal(t, Row{"batch_id": other[0]["batch_id"], "code_count": 1, "issued_by": second}, pick(newest, "batch_id", "code_count", "issued_by"))
	require.Equal(t, 100, batches(newest["batch_id"])[0]["code_count"])
	require.Empty(t, batches(made[0]["batch_id"]))

	code := made[7]["code"].(string)
	b.Pay(anna, b.openWith(anna, code, "p"))
	b.Refused("PR003", "billing.open_purchase", with(bert, code, "p"))
	b.One("promo.disable", A{"p_admin_id": boss, "p_code": made[8]["code"]})
	rows := b.All("promo.list_batch", A{"p_admin_id": boss, "p_batch_id": made[0]["batch_id"]})
	require.Len(t, rows, 100)
	for i, row := range rows {
		require.Equal(t, Row{"code": made[i]["code"], "is_used": i == 7, "is_active": i != 8}, pick(row, "code", "is_used", "is_active"))
	}
	require.Equal(t, made[0]["batch_id"], b.One("promo.card", A{"p_admin_id": boss, "p_promo_id": made[7]["promo_id"]})["batch_id"])
	require.Equal(t, []Row{{"actor_id": boss, "n": "100"}, {"actor_id": second, "n": "1"}},
		b.Query("select actor_id, details ->> 'count' as n from audit.event where action = 'promo.issue_batch' order by occurred_at"), "once each")
	b.Reconciled()
}

// TestPromoBatchMakesUpForATakenCode: a generated code that exists already is replaced.
func TestPromoBatchMakesUpForATakenCode(t *testing.T) {
	b := setup(t)
	b.script(`create sequence promo.rigged`)
	b.script(`create or replace function promo._new_code() returns text language sql volatile
		as $$ select 'CODE' || nextval('promo.rigged') / 2 $$`)
	made := b.All("promo.issue_batch", batchOf(5, 25, "k"))
	codes := []any{}
	for _, row := range made {
		codes = append(codes, row["code"])
	}
	require.ElementsMatch(t, []any{"CODE0", "CODE1", "CODE2", "CODE3", "CODE4"}, codes)
}

func TestPromoListAndCard(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.issue("FIRST", 50, A{"p_max_uses": 10, "p_per_user_limit": 5})
	b.issue("ENDS", 20, A{"p_expires_at": at.Add(time.Hour)})
	b.issue("LAST", 30)
	list := func(isUsable bool, before any, limit int) []any {
		codes := []any{}
		for _, row := range b.All("promo.list", A{"p_admin_id": boss, "p_is_usable": isUsable, "p_before": before, "p_limit": limit}) {
			codes = append(codes, row["code"])
		}
		return codes
	}
	require.Equal(t, []any{"LAST", "ENDS", "FIRST"}, list(true, nil, 10))
	require.Equal(t, []any{"LAST", "ENDS"}, list(true, nil, 2))
	require.Equal(t, []any{"FIRST"}, list(true, b.promoID("ENDS"), 2))
	require.Empty(t, list(false, nil, 10))

	b.Credit(bert, desk.Rich)
	refunded, paid := b.openWith(anna, "FIRST", "1"), b.openWith(anna, "FIRST", "2")
	b.Pay(anna, refunded)
	b.Pay(anna, paid)
	b.openWith(bert, "FIRST", "3")
	b.One("billing.cancel_purchase", desk.Mine(bert, b.openWith(bert, "FIRST", "4")))
	b.clawBack(refunded)
	b.owner.At(at.Add(2 * time.Hour))
	b.One("promo.disable", A{"p_admin_id": boss, "p_code": "FIRST"})
	require.Equal(t, []any{"LAST"}, list(true, nil, 10))
	require.Equal(t, []any{"ENDS", "FIRST"}, list(false, nil, 10))

	card := func(code string) Row {
		return b.One("promo.card", A{"p_admin_id": boss, "p_promo_id": b.promoID(code)})
	}
	first := card("FIRST")
	delete(first, "promo_id")
	name := b.owner.Value("select username from account.account where telegram_id = 1")
	require.Equal(t, Row{"code": "FIRST", "discount_percent": 50, "max_uses": 10, "per_user_limit": 5, "expires_at": nil,
		"is_active": false, "is_expired": false, "issued_at": at, "issued_by": boss, "issued_by_username": name,
		"disabled_at": at.Add(2 * time.Hour), "disabled_by": boss, "disabled_by_username": name, "batch_id": nil,
		"uses": 3, "uses_left": 7, "counted": 3, "reserved": 1, "consumed": 2, "refunded": 1, "revenue_kopecks": 7450,
		"discount_kopecks": 7450}, first)
	require.Equal(t, Row{"is_expired": true, "is_active": true, "uses": 0, "uses_left": nil, "revenue_kopecks": 0},
		pick(card("ENDS"), "is_expired", "is_active", "uses", "uses_left", "revenue_kopecks"))
}
