package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
