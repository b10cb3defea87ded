package contract_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func TestPayFromBalance(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	id := b.Open(anna, "basic", 1, "k")
	want := Row{"purchase_id": id, "status": "paid", "available_kopecks": desk.Rich - desk.Basic1,
		"subscription_expires_at": at.AddDate(0, 1, 0), "is_replay": false}
	require.Equal(t, want, b.Pay(anna, id))

	b.Credit(anna, 777)
	renewal := b.Buy(anna, "basic", 1, "another")["purchase_id"]
	require.Equal(t, true, b.One("billing.show_purchase", desk.Mine(anna, renewal))["keeps_key"])
	require.Equal(t, false, b.One("billing.show_purchase", desk.Mine(anna, id))["keeps_key"])
	want["is_replay"] = true
	require.Equal(t, want, b.Pay(anna, id), "the first answer again, whatever happened since")
	require.Equal(t, desk.Rich-2*desk.Basic1+777, b.Available(anna))
	require.Equal(t, []string{"payment_applied", "payment_applied"}, b.messages(anna))
	require.Equal(t, 2, b.count("outbox.task where kind = 'provision' and telegram_id = $1", anna))
}

func TestPayRefusals(t *testing.T) {
	b := setup(t)
	dear := b.Open(anna, "basic", 12, "dear")
	state := b.fingerprint()
	refusal := b.Refused("WA001", "billing.pay_from_balance", desk.Mine(anna, dear))
	require.Contains(t, refusal.Detail, "139900")
	b.Refused("PU001", "billing.pay_from_balance", desk.Mine(bert, dear))
	require.Equal(t, state, b.fingerprint(), "a refusal changes nothing")
	b.Credit(anna, 39900)
	require.Equal(t, false, b.Pay(anna, dear)["is_replay"], "a retry after a deposit works")
	require.Equal(t, 0, b.Available(anna))

	cancelled := b.Open(anna, "basic", 1, "cancelled")
	b.One("billing.cancel_purchase", desk.Mine(anna, cancelled))
	require.Contains(t, b.Refused("PU003", "billing.pay_from_balance", desk.Mine(anna, cancelled)).Detail, "is cancelled: closed at 20")

	byCard := b.Open(anna, "basic", 1, "by card")
	b.Settle("c1", byCard, desk.Basic1)
	require.Contains(t, b.Refused("PU003", "billing.pay_from_balance", desk.Mine(anna, byCard)).Detail, "is paid: paid with cryptobot at 20")

	late := b.Open(anna, "basic", 1, "late")
	b.owner.Later("30 minutes")
	b.Refused("PU002", "billing.pay_from_balance", desk.Mine(anna, late))
	b.One("billing.expire_due", A{"p_epoch": nil, "p_limit": 10})
	b.Refused("PU002", "billing.pay_from_balance", desk.Mine(anna, late))
}

func TestPriceIsThatOfTheOpening(t *testing.T) {
	b := setup(t)
	id := b.Open(anna, "basic", 1, "k")
	b.owner.Query("update billing.tariff_price set list_kopecks = 99000")
	require.Equal(t, desk.Rich-desk.Basic1, b.Pay(anna, id)["available_kopecks"])
}

func TestFreePurchase(t *testing.T) {
	b := setup(t)
	b.owner.Query("update billing.tariff_price set list_kopecks = 1 where tariff = 'basic' and months = 1")
	b.owner.Query("update account.account set discount_percent = 99 where telegram_id = $1", bert)
	id := b.Open(bert, "basic", 1, "k")
	for _, row := range b.All("billing.ways_to_pay", desk.Mine(bert, id)) {
		require.Equal(t, "free", row["refusal"])
	}
	b.Refused("PU003", "billing.attach_invoice", bill(id, "cryptobot", "i", 0, "RUB"))

	paid := b.Pay(bert, id)
	require.Equal(t, Row{"status": "paid", "available_kopecks": 0, "is_replay": false},
		pick(paid, "status", "available_kopecks", "is_replay"))
	require.Equal(t, 0, b.count("ledger.transfer where telegram_id = $1", bert), "nothing moved, nothing is booked")
	paid["is_replay"] = true
	require.Equal(t, paid, b.Pay(bert, id))
	require.Equal(t, "active", b.One("subscription.current", A{"p_telegram_id": bert})["status"])
}

func TestCancelPurchase(t *testing.T) {
	b := setup(t)
	id := b.Open(anna, "basic", 1, "k")
	b.Refused("PU001", "billing.cancel_purchase", desk.Mine(bert, id))
	require.Equal(t, Row{"purchase_id": id, "status": "cancelled", "is_replay": false},
		b.One("billing.cancel_purchase", desk.Mine(anna, id)))
	closed := b.owner.Query("select status, closed_at from billing.purchase")
	require.Equal(t, Row{"purchase_id": id, "status": "cancelled", "is_replay": true},
		b.One("billing.cancel_purchase", desk.Mine(anna, id)))
	require.Equal(t, closed, b.owner.Query("select status, closed_at from billing.purchase"))

	b.Refused("PU003", "billing.cancel_purchase",
		desk.Mine(anna, b.Buy(anna, "basic", 1, "paid")["purchase_id"]))
	late := b.Open(anna, "basic", 1, "late")
	b.owner.Later("30 minutes")
	b.One("billing.expire_due", A{"p_epoch": nil, "p_limit": 10})
	b.Refused("PU003", "billing.cancel_purchase", desk.Mine(anna, late))
	require.Equal(t, id, b.Open(anna, "basic", 1, "k"), "the opener's repeat still finds it")
}

func TestWaysToPay(t *testing.T) {
	b := setup(t)
	way := func(provider string, amount int, currency string, refusal any) Row {
		return Row{"provider": provider, "amount_minor": amount, "currency": currency, "is_offered": refusal == nil,
			"refusal": refusal}
	}
	ways := func(id string) []Row { return b.All("billing.ways_to_pay", desk.Mine(anna, id)) }

	open := b.Open(anna, "basic", 1, "k")
	require.Equal(t, []Row{way("cryptobot", 14900, "RUB", nil), way("stars", 88, "XTR", nil),
		way("telegram", 14900, "RUB", nil)}, ways(open), "14900 / 170 is 87.6 Stars: 88")
	b.Refused("PU001", "billing.ways_to_pay", desk.Mine(bert, open))

	b.owner.Query("update billing.tariff_price set list_kopecks = 6399 where tariff = 'basic' and months = 1")
	cheap := b.Open(anna, "basic", 1, "cheap")
	require.Equal(t, []Row{way("cryptobot", 6399, "RUB", nil), way("stars", 38, "XTR", nil),
		way("telegram", 6399, "RUB", "below_minimum")}, ways(cheap))
	b.Refused("PU005", "billing.attach_invoice", bill(cheap, "telegram", cheap, 6399, "RUB"))

	b.owner.Query("update billing.tariff_price set list_kopecks = 6400 where tariff = 'basic' and months = 1")
	require.Equal(t, way("telegram", 6400, "RUB", nil), ways(b.Open(anna, "basic", 1, "minimum"))[2])

	b.owner.Query("update billing.provider set is_offered = false where provider = 'cryptobot'")
	require.Equal(t, way("cryptobot", 14900, "RUB", "switched_off"), ways(open)[0])
	b.Refused("PY001", "billing.attach_invoice", bill(open, "cryptobot", "i", 14900, "RUB"))

	exact := b.Topup(anna, 17000, "exact")
	require.Equal(t, way("stars", 100, "XTR", nil), ways(exact)[1])
	b.owner.Later("30 minutes")
	for _, row := range ways(open) {
		require.Equal(t, "not_open", row["refusal"])
	}
}

func TestAttachInvoice(t *testing.T) {
	b := setup(t)
	id := b.Open(anna, "basic", 1, "k")
	for _, wrong := range []A{bill(id, "stars", "s", 87, "XTR"), bill(id, "stars", "s", 88, "RUB"),
		bill(id, "cryptobot", "i", 14901, "RUB"), bill(id, "cryptobot", "i", 14900, "XTR")} {
		b.Refused("22023", "billing.attach_invoice", wrong)
	}
	good := bill(id, "stars", "s", 88, "XTR")
	require.Equal(t, Row{"purchase_id": id, "is_replay": false}, b.One("billing.attach_invoice", good))
	b.One("ops.set_setting", A{"p_name": "star_kopecks", "p_value": 100})
	require.Equal(t, Row{"purchase_id": id, "is_replay": true}, b.One("billing.attach_invoice", good),
		"an amount in Stars is fixed when it is attached")
	require.Equal(t, false, b.One("billing.attach_invoice", good.With("p_invoice_id", "s2"))["is_replay"])
	require.Equal(t, Row{"provider": "stars", "invoice_id": "s2"},
		pick(b.One("billing.show_purchase", desk.Mine(anna, id)), "provider", "invoice_id"))
	require.Equal(t, 149, b.All("billing.ways_to_pay", desk.Mine(anna, b.Open(anna, "basic", 1, "k2")))[1]["amount_minor"])

	b.Pay(anna, id)
	b.Refused("PU003", "billing.attach_invoice", bill(id, "cryptobot", "i", 14900, "RUB"))
	require.Equal(t, true, b.One("billing.attach_invoice", good)["is_replay"])
}

func TestPrecheck(t *testing.T) {
	b := setup(t)
	id := b.Open(anna, "basic", 1, "k")
	b.One("billing.attach_invoice", bill(id, "stars", "s", 88, "XTR"))
	check := func(user int, purchase any, amount int, currency string) Row {
		return b.One("billing.precheck", A{"p_telegram_id": user, "p_purchase_id": purchase, "p_amount_minor": amount,
			"p_currency": currency})
	}
	require.Equal(t, Row{"is_payable": true, "refusal": nil}, check(anna, id, 88, "XTR"))
	no := func(why string) Row { return Row{"is_payable": false, "refusal": why} }
	require.Equal(t, no("amount_differs"), check(anna, id, 87, "XTR"))
	require.Equal(t, no("amount_differs"), check(anna, id, 88, "RUB"))
	require.Equal(t, no("unknown_purchase"), check(bert, id, 88, "XTR"), "another's purchase")
	require.Equal(t, no("unknown_purchase"), check(nobody, id, 88, "XTR"))
	require.Equal(t, no("unknown_purchase"), check(anna, unknown, 88, "XTR"))

	paid := b.Buy(anna, "basic", 1, "paid")["purchase_id"]
	require.Equal(t, no("not_open"), check(anna, paid, 88, "XTR"))
	b.owner.Later("30 minutes")
	require.Equal(t, no("expired"), check(anna, id, 88, "XTR"))
	b.One("billing.expire_due", A{"p_epoch": nil, "p_limit": 10})
	require.Equal(t, no("expired"), check(anna, id, 88, "XTR"))
}

func TestPendingInvoices(t *testing.T) {
	b := setup(t)
	ids := []any{}
	for _, key := range []string{"1", "2", "3"} {
		id := b.Open(anna, "basic", 1, key)
		b.One("billing.attach_invoice", bill(id, "cryptobot", "inv"+key, desk.Basic1, "RUB"))
		ids = append(ids, id)
	}
	pending := func(limit int) []any {
		found := []any{}
		for _, row := range b.All("billing.pending_invoices", waiting("cryptobot", nil, nil, limit)) {
			require.Equal(t, Row{"amount_minor": desk.Basic1, "currency": "RUB"}, pick(row, "amount_minor", "currency"))
			found = append(found, row["purchase_id"])
		}
		return found
	}
	require.Equal(t, []any{ids[2], ids[1], ids[0]}, pending(10), "newest first")
	require.Equal(t, []any{ids[2]}, pending(1))
	b.Settle("inv2", ids[1], desk.Basic1)
	require.Equal(t, []any{ids[2], ids[0]}, pending(10))
	require.Empty(t, b.All("billing.pending_invoices", waiting("stars", nil, nil, 10)))
	b.owner.Later("3 days")
	require.Empty(t, pending(10))
}

// TestPendingInvoicesInPages attaches many invoices in one moment: page by page each comes once.
func TestPendingInvoicesInPages(t *testing.T) {
	b := setup(t)
	b.owner.At(time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC))
	wanted := map[any]int{}
	for i := range 7 {
		id := b.Open(anna, "basic", 1, fmt.Sprint(i))
		b.One("billing.attach_invoice", bill(id, "cryptobot", fmt.Sprint("inv", i), desk.Basic1, "RUB"))
		wanted[fmt.Sprint("inv", i)] = 1
	}
	got := map[any]int{}
	var at, invoice any
	for pages := 0; ; pages++ {
		rows := b.All("billing.pending_invoices", waiting("cryptobot", at, invoice, 3))
		if len(rows) == 0 {
			require.Equal(t, 3, pages)
			break
		}
		for _, row := range rows {
			at, invoice = row["attached_at"], row["invoice_id"]
			got[invoice]++
		}
	}
	require.Equal(t, wanted, got)
}
