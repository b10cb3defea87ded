package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// cardColumns is what account.card answers.
const cardColumns = "telegram_id bigint, username text, language text, registered_at timestamptz, is_reachable boolean, " +
	"is_admin boolean, is_blocked boolean, blocked_at timestamptz, blocked_reason text, is_vip boolean, personal_percent integer, " +
	"personal_expires_at timestamptz, discount_percent integer, available_kopecks bigint, held_kopecks bigint, debt_kopecks bigint, " +
	"status text, tariff text, expires_at timestamptz, auto_renew boolean, activation text, referrer_id bigint, invited bigint, " +
	"paying bigint, earned_kopecks bigint, purchases bigint, spent_kopecks bigint, last_tariff text, last_months integer, " +
	"last_kopecks bigint, last_paid_at timestamptz, last_paid_with text, payment_provider text, payment_kopecks bigint, " +
	"payment_outcome text, payment_at timestamptz, withdrawal_id bigint, withdrawal_kopecks bigint"

func TestFindUsers(t *testing.T) {
	b := setup(t)
	for id, name := range map[int]any{3001: "Neo", 3002: "neon", 3003: "NEO_N", 3004: "neXt", 3005: nil, 3006: "n%o", 3007: "Ёжик"} {
		b.One("account.register", start(id, nil).With("p_username", name))
	}
	find := func(query string, limit int) []any {
		ids := []any{}
		for _, row := range b.All("account.find_users", A{"p_admin_id": boss, "p_query": query, "p_limit": limit}) {
			ids = append(ids, row["telegram_id"])
		}
		return ids
	}
	require.Equal(t, []any{3001, 3003, 3002}, find("neo", 10), "the exact name first, then in the order of bytes")
	require.Equal(t, []any{3001, 3003, 3002}, find("@NEO", 10))
	require.Equal(t, []any{3001, 3003}, find("neo", 2))
	require.Equal(t, []any{3003}, find("neo_", 10), "an underscore is one")
	require.Equal(t, []any{3006}, find("n%", 10))
	require.Equal(t, []any{3007}, find("ёЖ", 10))
	require.Equal(t, []any{3005}, find("3005", 10), "by number, without a name")
	require.Equal(t, []any{}, find("300", 10), "a number is whole")
	require.Equal(t, []any{}, find("9999999999999999", 10))
	require.Equal(t, []any{}, find("99999999999999999999", 10))
	b.One("account.register", start(3008, nil).With("p_username", "3005x"))
	require.Equal(t, []any{3005, 3008}, find("3005", 10))
	require.Equal(t, []any{3005}, find("3005", 1))

	b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": 3001, "p_reason": "r"})
	found := b.One("account.find_users", A{"p_admin_id": boss, "p_query": "3001", "p_limit": 1})
	require.Equal(t, Row{"telegram_id": 3001, "username": "Neo", "is_blocked": true}, pick(found, "telegram_id", "username", "is_blocked"))
}

func TestCard(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	card := func(id int) Row { return b.One("account.card", A{"p_admin_id": boss, "p_telegram_id": id}) }
	b.User(3001)
	empty := card(3001)
	require.Equal(t, Row{"telegram_id": 3001, "username": "user_3001", "language": "ru", "registered_at": at, "is_reachable": true,
		"is_admin": false, "is_blocked": false, "blocked_at": nil, "blocked_reason": nil, "is_vip": false, "personal_percent": nil,
		"personal_expires_at": nil, "discount_percent": 0, "available_kopecks": 0, "held_kopecks": 0, "debt_kopecks": 0,
		"status": "none", "tariff": nil, "expires_at": nil, "auto_renew": false, "activation": "none", "referrer_id": nil, "invited": 0,
		"paying": 0, "earned_kopecks": 0, "purchases": 0, "spent_kopecks": 0, "last_tariff": nil, "last_months": nil, "last_kopecks": nil,
		"last_paid_at": nil, "last_paid_with": nil, "payment_provider": nil, "payment_kopecks": nil, "payment_outcome": nil,
		"payment_at": nil, "withdrawal_id": nil, "withdrawal_kopecks": nil}, empty)

	b.Credit(bert, 1_000_000)
	b.One("account.register", start(3002, "ref_"+b.profile(bert)["referral_code"].(string)))
	require.Equal(t, bert, card(3002)["referrer_id"])
	b.One("account.set_vip", A{"p_admin_id": boss, "p_telegram_id": bert, "p_is_vip": true})
	b.One("account.set_discount", discount(bert, 50, at.Add(time.Hour)))
	b.Buy(bert, "basic", 1, "k1")
	b.owner.At(at.Add(time.Minute))
	refunded := b.Buy(bert, "plus", 3, "k2")["purchase_id"]
	b.owner.At(at.Add(2 * time.Minute))
	b.Settle("ch-1", b.Topup(bert, 20000, "t"), 20000)
	b.request(bert, least, "w")
	b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": bert, "p_reason": "fraud"})
	b.One("account.set_reachable", A{"p_telegram_id": bert, "p_is_reachable": false})
	b.One("account.grant_admin", A{"p_telegram_id": bert, "p_note": "second"})
	seen := card(bert)
	require.Equal(t, Row{"is_admin": true, "is_blocked": true, "blocked_at": at.Add(2 * time.Minute), "blocked_reason": "fraud",
		"is_reachable": false, "is_vip": true, "personal_percent": 50, "personal_expires_at": at.Add(time.Hour), "discount_percent": 50},
		pick(seen, "is_admin", "is_blocked", "blocked_at", "blocked_reason", "is_reachable", "is_vip", "personal_percent",
			"personal_expires_at", "discount_percent"))
	require.Equal(t, Row{"status": "active", "tariff": "plus", "activation": "pending", "invited": 1, "held_kopecks": least,
		"purchases": 2, "spent_kopecks": 7450 + 34950, "last_tariff": "plus", "last_months": 3, "last_kopecks": 34950,
		"last_paid_at": at.Add(time.Minute), "last_paid_with": "balance", "payment_provider": "cryptobot", "payment_kopecks": 20000,
		"payment_outcome": "applied", "payment_at": at.Add(2 * time.Minute), "withdrawal_kopecks": least},
		pick(seen, "status", "tariff", "activation", "invited", "held_kopecks", "purchases", "spent_kopecks", "last_tariff", "last_months",
			"last_kopecks", "last_paid_at", "last_paid_with", "payment_provider", "payment_kopecks", "payment_outcome", "payment_at",
			"withdrawal_kopecks"))
	require.NotNil(t, seen["withdrawal_id"])

	b.owner.At(at.Add(time.Hour))
	b.One("account.unblock", A{"p_admin_id": boss, "p_telegram_id": bert, "p_reason": "sorry"})
	b.One("billing.refund_purchase", A{"p_admin_id": boss, "p_purchase_id": refunded, "p_reason": "r"})
	require.Equal(t, Row{"is_blocked": false, "blocked_at": nil, "blocked_reason": nil, "personal_percent": nil,
		"personal_expires_at": nil, "discount_percent": 30, "purchases": 1, "spent_kopecks": 7450, "last_tariff": "basic"},
		pick(card(bert), "is_blocked", "blocked_at", "blocked_reason", "personal_percent", "personal_expires_at", "discount_percent",
			"purchases", "spent_kopecks", "last_tariff"), "a discount that is over and a purchase that was refunded are no more")
}

func TestListPurchases(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	ids := map[any]string{}
	list := func(before any, limit int) []string {
		names := []string{}
		for _, row := range b.All("billing.list_purchases",
			A{"p_admin_id": boss, "p_telegram_id": anna, "p_before_id": before, "p_limit": limit}) {
			names = append(names, ids[row["purchase_id"]])
		}
		return names
	}
	require.Empty(t, list(nil, 10))
	keep := func(name string, id any) any {
		ids[id] = name
		at = at.Add(time.Minute)
		b.owner.At(at)
		return id
	}
	b.owner.At(at)
	b.Credit(anna, 1_000_000)
	first := keep("first", b.Buy(anna, "basic", 1, "k1")["purchase_id"])
	refunded := keep("refunded", b.Buy(anna, "plus", 3, "k2")["purchase_id"])
	b.One("billing.cancel_purchase", desk.Mine(anna, keep("cancelled", b.Open(anna, "basic", 1, "k3")).(string)))
	topup := keep("topup", b.Topup(anna, 20000, "t"))
	b.Settle("ch-1", topup, 20000)
	reversed := keep("reversed", b.Open(anna, "basic", 1, "k4"))
	b.Settle("ch-2", reversed, desk.Basic1)
	b.One("billing.reverse_payment", reversal("cryptobot", "ch-2", desk.Basic1, "RUB"))
	keep("open", b.Open(anna, "basic", 1, "k5"))
	b.Credit(bert, 1_000_000)
	keep("another's", b.Buy(bert, "basic", 1, "k")["purchase_id"])
	b.One("billing.refund_purchase", refund(boss, refunded))

	require.Equal(t, []string{"open", "reversed", "topup", "refunded", "first"}, list(nil, 10))
	require.Equal(t, []string{"open", "reversed"}, list(nil, 2))
	require.Equal(t, []string{"topup", "refunded"}, list(reversed, 2))
	require.Equal(t, []string{}, list(first, 2))
	b.owner.Query("update billing.purchase set opened_at = $1 where telegram_id = $2", at, anna)
	var all []string
	for page, before := list(nil, 1), any(nil); len(page) > 0; page = list(before, 1) {
		all = append(all, page...)
		for id, name := range ids {
			if name == page[0] {
				before = id
			}
		}
	}
	require.ElementsMatch(t, []string{"open", "reversed", "topup", "refunded", "first"}, all, "of one moment, too, each once")

	columns := []string{"kind", "status", "can_be_refunded", "taken_back_at", "taken_back_by", "taken_back_reason"}
	seen := map[string]Row{}
	for _, row := range b.All("billing.list_purchases", A{"p_admin_id": boss, "p_telegram_id": anna, "p_before_id": nil, "p_limit": 10}) {
		seen[ids[row["purchase_id"]]] = pick(row, columns...)
	}
	for name, want := range map[string][]any{
		"open": {"subscription", "open", false, nil, nil, nil}, "first": {"subscription", "paid", true, nil, nil, nil},
		"topup": {"topup", "paid", false, nil, nil, nil}, "refunded": {"subscription", "refunded", false, at, boss, "asked for it"},
		"reversed": {"subscription", "refunded", false, at.Add(-2 * time.Minute), nil, nil},
	} {
		row := Row{}
		for i, column := range columns {
			row[column] = want[i]
		}
		require.Equal(t, row, seen[name], name)
	}
}

// TestGrantAndRevokeQuietly: who is not to be told is not, and the key remembers which it was.
func TestGrantAndRevokeQuietly(t *testing.T) {
	b := setup(t)
	quiet := grant(bert, "basic", "7 days", "g").With("p_is_told", false)
	b.One("subscription.grant_time", quiet)
	require.Equal(t, true, b.One("subscription.grant_time", quiet)["is_replay"])
	b.Refused("ID001", "subscription.grant_time", quiet.With("p_is_told", true))
	b.Refused("ID001", "subscription.grant_time", grant(bert, "basic", "7 days", "g"))
	require.NotContains(t, b.messages(bert), "time_granted")
	b.One("subscription.grant_time", grant(bert, "basic", "1 day", "g2"))
	require.Equal(t, true, b.One("subscription.grant_time", grant(bert, "basic", "1 day", "g2").With("p_is_told", true))["is_replay"])
	require.Contains(t, b.messages(bert), "time_granted")

	quiet = revoke(bert, "r").With("p_is_told", false)
	b.One("subscription.revoke", quiet)
	require.Equal(t, true, b.One("subscription.revoke", quiet)["is_replay"])
	b.Refused("ID001", "subscription.revoke", revoke(bert, "r"))
	require.NotContains(t, b.messages(bert), "subscription_revoked")
	b.Reconciled()
}
