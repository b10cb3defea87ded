package contract_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func TestResolveSuspense(t *testing.T) {
	b := setup(t)
	b.admin(bert)
	id := b.Settle("c", unknown, 25000)["payment_id"]
	b.Refused("22023", "billing.resolve_suspense", resolve(boss, id, anna, 25001))
	b.Refused("US001", "billing.resolve_suspense", resolve(boss, id, nobody, nil))
	b.Refused("PY002", "billing.resolve_suspense", resolve(boss, 9999, anna, nil))
	first := b.One("billing.resolve_suspense", resolve(boss, id, anna, nil))
	require.Equal(t, Row{"payment_id": id, "outcome": "credited", "is_replay": false}, first)
	require.Equal(t, [2]int{desk.Rich + 25000, 0}, b.balances(anna))
	require.Equal(t, []Row{{"amount_kopecks": 25000, "reason": "suspense"}}, b.owner.Query(`select amount_kopecks,
		arguments ->> 'reason' as reason from outbox.task where telegram_id = $1 and name = 'payment_credited'`, anna))
	require.Equal(t, "payment:"+fmt.Sprint(id), b.Value("select subject_id from audit.event where action = 'billing.resolve_suspense'"))

	first["is_replay"] = true
	require.Equal(t, first, b.One("billing.resolve_suspense", resolve(boss, id, anna, nil)))
	require.Equal(t, first, b.One("billing.resolve_suspense", resolve(boss, id, anna, 25000)))
	for _, other := range []A{resolve(bert, id, anna, nil), resolve(boss, id, bert, nil), resolve(boss, id, anna, 24999)} {
		require.Contains(t, b.Refused("PY002", "billing.resolve_suspense", other).Detail,
			"credited, to telegram_id 1001, by admin 1 at 20")
	}
	require.Equal(t, settled("credited", anna, 25000, nil, true), b.settle(rub("c", unknown, nil, 25000)))
	b.One("wallet.debit", by(boss, anna, desk.Rich, "spent", "k"))
	b.One("wallet.debit", by(boss, anna, 5000, "spent", "k2"))
	require.Equal(t, reversed(5000, false), b.reverse("c", 25000))
	require.Equal(t, [2]int{0, 5000}, b.balances(anna))
	require.Equal(t, first, b.One("billing.resolve_suspense", resolve(boss, id, anna, nil)))
}

func TestResolveForeignMoney(t *testing.T) {
	b := setup(t)
	id := b.One("billing.settle_payment", rub("c", b.Open(anna, "basic", 1, "k"), nil, 200).With("p_currency", "USD"))["payment_id"]
	b.Refused("22023", "billing.resolve_suspense", resolve(boss, id, bert, nil))
	b.One("billing.resolve_suspense", resolve(boss, id, bert, 18000))
	require.Equal(t, [2]int{18000, 0}, b.balances(bert))

	large := b.Settle("large", b.Open(anna, "basic", 1, "k2"), 1_000_000_000_001)["payment_id"]
	b.Refused("22023", "billing.resolve_suspense", resolve(boss, large, bert, nil))
	require.Equal(t, reversed(0, false), b.reverse("large", 1_000_000_000_001), "out of suspense, too")
	require.Contains(t, b.Refused("PY002", "billing.resolve_suspense", resolve(boss, large, bert, 1)).Detail,
		"reversed, to telegram_id , by the provider at 20")
}

func TestApproveManual(t *testing.T) {
	b := setup(t)
	b.admin(bert)
	id := b.Open(anna, "basic", 1, "k")
	b.Refused("PU001", "billing.approve_manual", manual(boss, unknown, desk.Basic1))
	first := b.One("billing.approve_manual", manual(boss, id, desk.Basic1+100))
	require.Equal(t, Row{"payment_id": first["payment_id"], "outcome": "applied", "telegram_id": anna,
		"credited_kopecks": 100, "subscription_expires_at": b.Ends(anna), "is_replay": false}, first)
	first["is_replay"] = true
	require.Equal(t, first, b.One("billing.approve_manual", manual(boss, id, desk.Basic1+100)))
	require.Empty(t, b.alarms())
	require.Equal(t, first, b.One("billing.approve_manual", manual(boss, id, 1)))
	require.Equal(t, []string{"payment_amount_differs"}, b.alarms())
	require.Contains(t, b.Refused("PU003", "billing.approve_manual", manual(bert, id, desk.Basic1+100)).Detail,
		"approved by admin 1 at 20")
	require.Len(t, b.Query("select * from audit.event where action = 'billing.approve_manual'"), 1)

	topup := b.Topup(anna, 25000, "t")
	require.Equal(t, 30000, b.One("billing.approve_manual", manual(boss, topup, 30000))["credited_kopecks"])
	paid := b.Buy(anna, "basic", 1, "k2")["purchase_id"]
	require.Equal(t, "credited", b.One("billing.approve_manual", manual(boss, paid, desk.Basic1))["outcome"])
	late := b.Open(anna, "basic", 1, "k3")
	b.One("billing.cancel_purchase", desk.Mine(anna, late))
	require.Equal(t, "applied", b.One("billing.approve_manual", manual(boss, late, desk.Basic1))["outcome"])
	b.One("billing.refund_purchase", refund(boss, late))
}

func TestAnInvoiceIsOfOnePurchase(t *testing.T) {
	b := setup(t)
	one, other := b.Open(anna, "basic", 1, "1"), b.Open(bert, "basic", 1, "2")
	b.One("billing.attach_invoice", bill(one, "cryptobot", "inv", desk.Basic1, "RUB"))
	b.Refused("22023", "billing.attach_invoice", bill(other, "cryptobot", "inv", desk.Basic1, "RUB"))
	b.One("billing.attach_invoice", bill(other, "telegram", "inv", desk.Basic1, "RUB"))
	require.Equal(t, true, b.One("billing.attach_invoice", bill(one, "cryptobot", "inv", desk.Basic1, "RUB"))["is_replay"])
}
