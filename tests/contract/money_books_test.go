package contract_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// TestReconcileFindsWrongRefunds spoils the books of what was taken back, one row at a time.
func TestReconcileFindsWrongRefunds(t *testing.T) {
	b := setup(t)
	const carol = 1003
	b.referred(carol, desk.Rich)
	names := map[string]any{
		"paid":     b.Buy(carol, "basic", 1, "paid")["purchase_id"],
		"refunded": b.Buy(carol, "basic", 1, "refunded")["purchase_id"],
		"reversed": b.Open(carol, "plus", 1, "reversed"),
	}
	b.One("billing.refund_purchase", refund(boss, names["refunded"]))
	names["P1"] = b.Settle("P1", names["reversed"], desk.Plus1)["payment_id"]
	b.reverse("P1", desk.Plus1)
	names["P2"] = b.Settle("P2", b.Topup(carol, 25000, "topup"), 25000)["payment_id"]
	b.One("wallet.debit", by(boss, carol, 100000, "spent", "spent"))
	b.reverse("P2", 25000)
	names["P3"] = b.Settle("P3", unknown, 25000)["payment_id"]
	b.reverse("P3", 25000)
	b.One("billing.attach_invoice", bill(b.Open(carol, "basic", 1, "i1"), "cryptobot", "i1", desk.Basic1, "RUB"))
	b.One("billing.attach_invoice", bill(b.Open(carol, "basic", 1, "i2"), "cryptobot", "i2", desk.Basic1, "RUB"))
	names["C1"] = b.owner.Value("select change_id from billing.refund where purchase_id = $1", names["refunded"])
	b.Reconciled()
	b.finds(names, []fault{
		{"a status without a refund", `delete from billing.refund where purchase_id = '{refunded}'`,
			[]string{"refund_has_change change:{C1}", "refund_is_booked purchase:{refunded}",
				"refunded_purchase_has_refund purchase:{refunded}"}},
		{"a refund without its status", "update billing.purchase set status = 'paid' where purchase_id = '{refunded}'",
			[]string{"refunded_purchase_has_refund purchase:{refunded}"}},
		{"refunded less than booked", "update billing.refund set refunded_kopecks = 1 where purchase_id = '{refunded}'",
			[]string{"refund_is_booked purchase:{refunded}"}},
		{"refunded without a ledger row", "update ledger.transfer set reason = 'admin_credit' where reason = 'refund'",
			[]string{"refund_is_booked purchase:{refunded}"}},
		{"refunded to another purchase", "update ledger.transfer set purchase_id = '{paid}' where reason = 'refund'",
			[]string{"refund_is_booked purchase:{paid}", "refund_is_booked purchase:{refunded}"}},
		{"a reversal without its payment", `update billing.payment set outcome = 'applied', reversed_at = null,
			reversal_debt_kopecks = null where payment_id = {P1}`,
			[]string{"refund_by_reversal_has_payment purchase:{reversed}", "reversal_returns_all payment:{P1}"}},
		{"another change's end", "update billing.refund set subscription_expires_at = null where purchase_id = '{refunded}'",
			[]string{"refund_has_change purchase:{refunded}"}},
		{"a change of another kind", `update subscription.change set kind = 'refund'
			where purchase_id = '{reversed}'`, []string{"refund_has_change purchase:{reversed}"}},
		{"cashback that is not clawed back", "delete from outbox.task where name = 'clawback' and purchase_id = '{refunded}'",
			[]string{"refund_claws_back purchase:{refunded}"}},
		{"more debt than recorded", "update billing.payment set reversal_debt_kopecks = 0 where payment_id = {P2}",
			[]string{"reversal_returns_all payment:{P2}"}},
		{"a reversal that kept some", "update billing.payment set worth_kopecks = worth_kopecks + 1 where payment_id = {P2}",
			[]string{"reversal_returns_all payment:{P2}"}},
		{"a reversal of nothing", "update billing.payment set worth_kopecks = 1 where payment_id = {P3}",
			[]string{"reversal_returns_all payment:{P3}"}},
		{"a purchase that stays", `update billing.purchase set status = 'paid' where purchase_id = '{reversed}'`,
			[]string{"refunded_purchase_has_refund purchase:{reversed}", "reversal_undoes_its_purchase payment:{P1}"}},
		{"an invoice of two", "update billing.invoice set invoice_id = 'i1'",
			[]string{"invoice_of_one_purchase invoice:cryptobot i1"}},
	})
}

// TestLateMoneyAndItsPromoUse: promo._retake says whether the code has a use left; it is stubbed here.
func TestLateMoneyAndItsPromoUse(t *testing.T) {
	b := setup(t)
	b.harness.BooksAreWrong("purchases bear a promo code that is not there")
	left := func(answer string) {
		b.script(`create or replace function promo._retake(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint,
			p_now timestamptz) returns boolean language plpgsql as $$ begin
			if p_telegram_id <> 1002 or p_promo_id <> 77 or p_now is null or p_purchase_id is null then
			  raise exception 'called otherwise';
			end if;
			return ` + answer + `; end $$`)
	}
	opened := func(key string) string {
		id := b.Open(bert, "basic", 1, key)
		b.owner.Query("update billing.purchase set promo_id = 77 where purchase_id = $1", id)
		return id
	}
	left("false")
	require.Equal(t, "applied", b.settle(rub("in time", opened("in time"), nil, desk.Basic1))["outcome"],
		"its use is reserved while it is open")
	late := opened("late")
	b.owner.Query("update billing.purchase set status = 'cancelled' where purchase_id = $1", late)
	require.Equal(t, settled("credited", bert, desk.Basic1, nil, false), b.settle(rub("late", late, nil, desk.Basic1)))
	require.Equal(t, "cancelled", b.statusOf(late))
	require.Equal(t, desk.Basic1, b.Available(bert))
	require.Equal(t, []string{"payment_applied", "promo_used_up"}, b.messages(bert))
	require.Equal(t, []string{"promo_used_up"}, b.alarms())
	require.Equal(t, desk.Basic1, b.owner.Value("select amount_kopecks from outbox.task where name = 'promo_used_up'"))

	expired := opened("expired")
	b.owner.Query("update billing.purchase set status = 'expired' where purchase_id = $1", expired)
	require.Equal(t, "credited", b.settle(rub("too little", expired, nil, 100))["outcome"], "no use is taken for too little")
	left("true")
	require.Equal(t, "applied", b.settle(rub("expired", expired, nil, desk.Basic1))["outcome"])
	require.Equal(t, []string{"promo_used_up"}, b.alarms())
}
