package contract_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// giveBack is the arguments of billing.begin_refund.
func giveBack(admin int, provider, charge string) A {
	return A{"p_admin_id": admin, "p_provider": provider, "p_charge_id": charge, "p_reason": "asked for it"}
}

func TestRefundIsBegunOnceAndMovesNothing(t *testing.T) {
	b := setup(t)
	b.User(2)
	b.One("account.grant_admin", A{"p_telegram_id": 2, "p_note": "second admin"})
	id := b.Open(bert, "basic", 1, "k")
	b.One("billing.attach_invoice", bill(id, "stars", id, 88, "XTR"))
	payment := b.One("billing.settle_payment", desk.Money("stars", "s", id, bert, 88, "XTR"))["payment_id"]
	ends := b.Ends(bert)
	begun := Row{"payment_id": payment, "payer_id": bert, "amount_minor": 88, "currency": "XTR", "outcome": "applied",
		"is_replay": false}
	require.Equal(t, begun, b.One("billing.begin_refund", giveBack(boss, "stars", "s")))
	begun["is_replay"] = true
	require.Equal(t, begun, b.One("billing.begin_refund", giveBack(boss, "stars", "s").With("p_reason", "other words")))
	require.Equal(t, begun, b.One("billing.begin_refund", giveBack(2, "stars", "s")), "whoever finds it begun goes on")
	require.Equal(t, ends, b.Ends(bert))
	require.Equal(t, 0, b.Available(bert))
	require.Equal(t, Row{"actor_id": boss, "subject_id": fmt.Sprint("payment:", payment)},
		pick(b.Query("select * from audit.event where action = 'billing.begin_refund'")[0], "actor_id", "subject_id"))
	require.Equal(t, 1, b.count("audit.entry where action = 'billing.begin_refund'"))

	b.One("billing.reverse_payment", reversal("stars", "s", 88, "XTR"))
	begun["outcome"] = "reversed"
	require.Equal(t, begun, b.One("billing.begin_refund", giveBack(boss, "stars", "s")))
	require.Equal(t, 1, b.count("audit.entry where action = 'billing.begin_refund'"))
}

// TestNobodysMoneyCanBeGivenBack: money in suspense has a payer, if the provider named one.
func TestNobodysMoneyCanBeGivenBack(t *testing.T) {
	b := setup(t)
	b.One("billing.settle_payment", desk.Money("stars", "s", unknown, nobody, 88, "XTR"))
	b.Settle("c", nil, 500)
	require.Equal(t, Row{"payer_id": nobody, "outcome": "suspense"},
		pick(b.One("billing.begin_refund", giveBack(boss, "stars", "s")), "payer_id", "outcome"))
	require.Nil(t, b.One("billing.begin_refund", giveBack(boss, "cryptobot", "c"))["payer_id"])
	b.Refused("22023", "billing.begin_refund", giveBack(boss, "cryptobot", "s"))
}

func TestPaymentsAreListedAndFound(t *testing.T) {
	b := setup(t)
	day := time.Date(2027, 3, 5, 0, 0, 0, 0, time.UTC)
	b.owner.At(day)
	for _, charge := range []string{"1", "2", "3"} { // in one moment
		b.Settle(charge, b.Topup(anna, 25000, charge), 25000)
	}
	b.owner.At(day.Add(time.Hour))
	b.Settle("4", unknown, 500)
	b.One("billing.settle_payment", desk.Money("stars", "1", unknown, bert, 5, "XTR"))
	b.owner.At(day.Add(2 * time.Hour))
	b.Settle("5", b.Topup(bert, 25000, "5"), 25000)
	b.One("billing.reverse_payment", reversal("cryptobot", "3", 25000, "RUB"))
	b.One("billing.begin_refund", giveBack(boss, "cryptobot", "5"))

	list := func(from time.Time, to time.Time, size int) []any {
		charges := []any{}
		for after := 0; ; {
			rows := b.All("billing.list_payments", received("cryptobot", from, to, after, size))
			if len(rows) == 0 {
				return charges
			}
			for _, row := range rows {
				from, after = row["received_at"].(time.Time), row["payment_id"].(int)
				charges = append(charges, row["charge_id"])
			}
		}
	}
	require.Equal(t, []any{"1", "2", "3", "4", "5"}, list(day, day.Add(3*time.Hour), 2))
	require.Equal(t, []any{"1", "2", "3", "4", "5"}, list(day, day.Add(3*time.Hour), 100))
	require.Equal(t, []any{"4"}, list(day.Add(time.Hour), day.Add(2*time.Hour), 1), "the end is not in it")

	found := b.All("billing.find_payments", A{"p_provider": "cryptobot", "p_charge_ids": []string{"3", "4", "5", "no"}})
	require.Len(t, found, 3)
	require.Equal(t, Row{"charge_id": "3", "telegram_id": anna, "amount_minor": 25000, "currency": "RUB", "outcome": "reversed",
		"reversed_at": day.Add(2 * time.Hour), "refund_begun_at": nil, "suspense_reason": nil},
		pick(found[0], "charge_id", "telegram_id", "amount_minor", "currency", "outcome", "reversed_at", "refund_begun_at",
			"suspense_reason"))
	require.Equal(t, Row{"charge_id": "4", "telegram_id": nil, "outcome": "suspense", "suspense_reason": "unknown_purchase"},
		pick(found[1], "charge_id", "telegram_id", "outcome", "suspense_reason"))
	require.Equal(t, day.Add(2*time.Hour), found[2]["refund_begun_at"])
}
