package contract_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func walletFunctions() []function {
	adjusted := "transfer_id bigint, available_kopecks bigint, held_kopecks bigint, is_replay boolean"
	adjust := func(world) A { return by(boss, anna, 500, "note", "key") }
	return []function{
		{name: "wallet.credit", allowed: "admin", switche: "admin_actions", returns: adjusted, args: adjust},
		{name: "wallet.debit", allowed: "admin", switche: "admin_actions", returns: adjusted, args: adjust},
		{name: "wallet.balance", reads: true, allowed: "bot admin worker auditor",
			returns: "available_kopecks bigint, held_kopecks bigint, version bigint, debt_kopecks bigint",
			args:    func(world) A { return A{"p_telegram_id": anna} }},
		{name: "wallet.statement", reads: true, allowed: "bot admin auditor",
			returns: "version bigint, created_at timestamptz, reason text, amount_kopecks bigint, available_kopecks bigint, " +
				"held_kopecks bigint, reference text, moved_kopecks bigint, note text",
			args: func(world) A { return A{"p_telegram_id": anna, "p_limit": 10, "p_before_version": nil} },
			bad:  map[string][]bad{"p_before_version": {refuse("22023", 0, -1), accept(nil, 1, math.MaxInt64)}}},
	}
}

// by is the arguments of wallet.credit and wallet.debit.
func by(admin, user, kopecks int, note, key string) A {
	return A{"p_telegram_id": user, "p_amount_kopecks": kopecks, "p_admin_id": admin, "p_note": note,
		"p_idempotency_key": key}
}

func TestCreditAndDebit(t *testing.T) {
	b := setup(t)
	first := b.One("wallet.credit", by(boss, bert, 5000, "gift", "k1"))
	require.Equal(t, Row{"transfer_id": first["transfer_id"], "available_kopecks": 5000, "held_kopecks": 0,
		"is_replay": false}, first)
	taken := b.One("wallet.debit", by(boss, bert, 4000, "mistake", "k1"))
	require.Equal(t, 1000, taken["available_kopecks"], "the key's scope is the function")
	require.NotEqual(t, first["transfer_id"], taken["transfer_id"])
	require.Equal(t, false, b.One("wallet.credit", by(boss, anna, 5000, "gift", "k1"))["is_replay"], "… and the user")

	replay := b.One("wallet.credit", by(boss, bert, 5000, "gift", "k1"))
	first["is_replay"] = true
	require.Equal(t, first, replay, "the first answer again, whatever happened since")
	taken["is_replay"] = true
	require.Equal(t, taken, b.One("wallet.debit", by(boss, bert, 4000, "mistake", "k1")),
		"a debit is a replay even where there is not enough for another")
	require.Equal(t, Row{"available_kopecks": 1000, "held_kopecks": 0, "version": 2, "debt_kopecks": 0},
		b.One("wallet.balance", A{"p_telegram_id": bert}))
}

func TestCreditKeyReused(t *testing.T) {
	b := setup(t)
	b.One("account.grant_admin", A{"p_telegram_id": bert, "p_note": "second"})
	for _, function := range []string{"wallet.credit", "wallet.debit"} {
		good := by(boss, anna, 500, "note", "key")
		b.One(function, good)
		for param, other := range map[string]any{"p_amount_kopecks": 501, "p_admin_id": bert, "p_note": "other"} {
			b.Refused("ID001", function, good.With(param, other))
		}
		require.Equal(t, true, b.One(function, good)["is_replay"])
	}
}

func TestDebitNeedsTheMoney(t *testing.T) {
	b := setup(t)
	refusal := b.Refused("WA001", "wallet.debit", by(boss, anna, desk.Rich+1, "too much", "k"))
	require.Contains(t, refusal.Detail, "balance_not_negative", "names the constraint that it guards")
	require.Contains(t, refusal.Detail, fmt.Sprintf("needs %d kopecks, %d are available", desk.Rich+1, desk.Rich))
	b.One("wallet.credit", by(boss, anna, 1, "the rest", "k"))
	require.Equal(t, Row{"available_kopecks": 0, "is_replay": false},
		pick(b.One("wallet.debit", by(boss, anna, desk.Rich+1, "too much", "k")), "available_kopecks", "is_replay"),
		"a refusal stores no key")
}

func TestCreditsAddUpToLargeSums(t *testing.T) {
	b := setup(t)
	for _, key := range []string{"a", "b", "c"} {
		b.One("wallet.credit", by(boss, bert, 1_000_000_000_000, "large", key))
	}
	require.Equal(t, 3_000_000_000_000, b.Available(bert))
}

func TestStatement(t *testing.T) {
	b := setup(t)
	b.One("wallet.debit", by(boss, anna, 100, "fee", "k"))
	paid := b.Buy(anna, "basic", 1, "k")["purchase_id"].(string)
	bought := b.Open(anna, "basic", 1, "k2")
	b.Settle("c1", bought, desk.Basic1+700)

	page := func(limit int, before any) []Row {
		return b.All("wallet.statement", A{"p_telegram_id": anna, "p_limit": limit, "p_before_version": before})
	}
	all := page(10, nil)
	for _, row := range all {
		require.NotNil(t, row["created_at"])
		delete(row, "created_at")
	}
	line := func(version int, reason string, change, available int, reference string, moved int, note any) Row {
		return Row{"version": version, "reason": reason, "amount_kopecks": change, "available_kopecks": available,
			"held_kopecks": 0, "reference": reference, "moved_kopecks": moved, "note": note}
	}
	require.Equal(t, []Row{
		line(5, "provider_excess", 700, 85700, "purchase:"+bought, 700, nil),
		line(4, "provider_purchase", 0, 85000, "purchase:"+bought, 14900, nil),
		line(3, "purchase", -14900, 85000, "purchase:"+paid, 14900, nil),
		line(2, "admin_debit", -100, 99900, "admin:1", 100, "fee"),
		line(1, "admin_credit", 100000, 100000, "admin:1", 100000, "gift"),
	}, all)

	versions := func(rows []Row) []any {
		list := []any{}
		for _, row := range rows {
			list = append(list, row["version"])
		}
		return list
	}
	require.Equal(t, []any{5, 4}, versions(page(2, nil)))
	require.Equal(t, []any{3, 2}, versions(page(2, 4)))
	require.Equal(t, []any{1}, versions(page(2, 2)))
	require.Empty(t, page(2, 1))
}
