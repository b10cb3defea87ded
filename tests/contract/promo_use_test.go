package contract_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// TestUseIsGivenBack is B4 and B6: a reservation ends with its purchase, once.
func TestUseIsGivenBack(t *testing.T) {
	b := setup(t)
	b.issue("SALE", 10, A{"p_max_uses": 1})
	first := b.openWith(anna, "SALE", "1")
	require.Equal(t, 0, b.left(anna, "SALE"), "no use is left, but her own would be taken over")
	b.Refused("PR003", "promo.validate", checked(bert, "SALE"))
	b.Refused("PR003", "billing.open_purchase", with(bert, "SALE", "k"))

	b.One("billing.cancel_purchase", desk.Mine(anna, first))
	require.Equal(t, 1, b.left(bert, "SALE"))
	id := b.openWith(bert, "SALE", "k")
	require.Equal(t, true, b.One("billing.cancel_purchase", desk.Mine(anna, first))["is_replay"])
	require.Equal(t, []int{1}, b.uses("SALE"), "cancelling twice gives nothing back twice")
	b.Reconciled()

	b.owner.Later("31 minutes")
	b.Refused("PR003", "billing.open_purchase", with(anna, "SALE", "2"))
	require.Equal(t, Row{"expired": 1}, b.One("billing.expire_due", batch(nil, 10)))
	require.Empty(t, b.uses("SALE"))
	second := b.openWith(anna, "SALE", "2")
	require.Equal(t, Row{"expired": 0}, b.One("billing.expire_due", batch(nil, 10)))
	b.Refused("PU003", "billing.cancel_purchase", desk.Mine(bert, id))
	require.Equal(t, []int{1}, b.uses("SALE"))

	b.Pay(anna, second)
	b.owner.Later("2 hours")
	b.One("billing.expire_due", batch(nil, 10))
	b.Refused("PU003", "billing.cancel_purchase", desk.Mine(anna, second))
	require.Equal(t, []int{1}, b.uses("SALE"), "what is paid stays used")
	b.Refused("PR003", "billing.open_purchase", with(bert, "SALE", "k3"))
	b.One("billing.refund_purchase", refund(boss, second))
	b.Refused("PR003", "billing.open_purchase", with(bert, "SALE", "k3"))
	b.Refused("PR005", "promo.validate", checked(anna, "SALE"))
	require.Equal(t, []int{1}, b.uses("SALE"), "no use comes back with a refund")
	b.Reconciled()
}

// TestExpiryGivesManyUsesBack: the batch gives back what expired and nothing else.
func TestExpiryGivesManyUsesBack(t *testing.T) {
	b := setup(t)
	b.issue("ONE", 50, A{"p_per_user_limit": 5})
	b.issue("TWO", 50, A{"p_max_uses": 20})
	for id := 3000; id < 3010; id++ {
		b.User(id)
		b.Credit(id, 20000)
		b.openWith(id, "ONE", "1")
		paid := b.openWith(id, "TWO", "2")
		if id%2 == 0 {
			b.Pay(id, paid)
		}
		b.openWith(id, nil, "3")
	}
	b.owner.Later("20 minutes")
	b.openWith(3000, "ONE", "young")
	b.owner.Later("31 minutes")
	require.Equal(t, Row{"expired": 25}, b.One("billing.expire_due", batch(nil, 100)))
	require.Len(t, b.uses("ONE"), 1)
	require.Len(t, b.uses("TWO"), 5)
	b.Reconciled()
}

// TestNobodyStandsInTheirOwnWay: past the own limit, the oldest unpaid purchase with the code gives its use up.
func TestNobodyStandsInTheirOwnWay(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.issue("SALE", 10, A{"p_per_user_limit": 2, "p_max_uses": 2})
	other := b.Open(anna, "basic", 1, "without")
	ids := []string{}
	for i := range 4 {
		b.owner.At(at.Add(time.Duration(i) * time.Second))
		ids = append(ids, b.openWith(anna, "SALE", fmt.Sprint(i)))
	}
	for i, status := range []string{"cancelled", "cancelled", "open", "open"} {
		require.Equal(t, status, b.status(ids[i]))
	}
	require.Equal(t, "open", b.status(other))
	require.Equal(t, []int{1, 2}, b.uses("SALE"))
	require.Equal(t, ids[0], b.openWith(anna, "SALE", "0"), "a repeat opens nothing again")
	require.Equal(t, 0, b.left(anna, "SALE"))
	b.Refused("PU003", "billing.pay_from_balance", desk.Mine(anna, ids[1]))
	b.Reconciled()

	b.Pay(anna, ids[3])
	last := b.openWith(anna, "SALE", "last")
	require.Equal(t, "paid", b.status(ids[3]), "what is paid is not given up")
	require.Equal(t, "cancelled", b.status(ids[2]))
	b.Pay(anna, last)
	b.Refused("PR005", "promo.validate", checked(anna, "SALE"))
	b.Refused("PR005", "billing.open_purchase", with(anna, "SALE", "more"))
	b.Refused("PR003", "billing.open_purchase", with(bert, "SALE", "k"))
	b.Reconciled()
}

// TestBelowTheOwnLimitAnotherUseIsTaken: a reservation is given up only for the own limit.
func TestBelowTheOwnLimitAnotherUseIsTaken(t *testing.T) {
	b := setup(t)
	b.issue("SALE", 10, A{"p_per_user_limit": 2, "p_max_uses": 1})
	first := b.openWith(anna, "SALE", "1")
	b.Refused("PR003", "promo.validate", checked(anna, "SALE"))
	b.Refused("PR003", "billing.open_purchase", with(anna, "SALE", "2"))
	require.Equal(t, "open", b.status(first))
}

// TestAllNumbersAreFound: whatever the sequence gives, every gap is filled before PR003.
func TestAllNumbersAreFound(t *testing.T) {
	b := setup(t)
	b.issue("SALE", 10, A{"p_per_user_limit": 100, "p_max_uses": 10})
	ids := []string{}
	for i := range 10 {
		b.owner.Query("select setval('promo.use_no', 7)") // the same start for all
		ids = append(ids, b.openWith(anna, "SALE", fmt.Sprint(i)))
	}
	require.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, b.uses("SALE"))
	b.Refused("PR003", "billing.open_purchase", with(bert, "SALE", "k"))
	for _, id := range ids {
		no := b.owner.Value("select use_no from promo.use where purchase_id = $1", id)
		b.One("billing.cancel_purchase", desk.Mine(anna, id))
		again := b.openWith(bert, "SALE", id)
		require.Equal(t, no, b.owner.Value("select use_no from promo.use where purchase_id = $1", again), "the one gap")
		b.One("billing.cancel_purchase", desk.Mine(bert, again))
		b.openWith(anna, "SALE", "again "+id)
	}
	b.Reconciled()
}

// TestB13ReservationIsOfTheCodeNotOfItsText: a code's text is only its name.
func TestB13ReservationIsOfTheCodeNotOfItsText(t *testing.T) {
	b := setup(t)
	b.issue("SALE", 10, A{"p_max_uses": 1})
	id := b.openWith(anna, "SALE", "k")
	b.owner.Query("update promo.code set code = 'OLDSALE' where code = 'SALE'")
	b.issue("SALE", 50, A{"p_max_uses": 1, "p_idempotency_key": "again"})

	require.Equal(t, 1, b.left(bert, "SALE"))
	b.Refused("PR003", "promo.validate", checked(bert, "OLDSALE"))
	require.Equal(t, 7450, b.One("billing.open_purchase", with(anna, "SALE", "k2"))["price_kopecks"], "another code's limit")
	b.One("billing.cancel_purchase", desk.Mine(anna, id))
	require.Empty(t, b.uses("OLDSALE"))
	require.Len(t, b.uses("SALE"), 1)
	b.Reconciled()
}

// TestLatePaymentTakesAUseAgain: only max_uses and the own limit count then, and no money is lost.
func TestLatePaymentTakesAUseAgain(t *testing.T) {
	b := setup(t)
	b.issue("SALE", 10, A{"p_max_uses": 1})
	late := b.openWith(anna, "SALE", "late")
	lost := b.openWith(anna, "SALE", "lost")
	b.owner.Later("31 minutes")
	b.One("billing.expire_due", batch(nil, 10))
	b.One("promo.disable", A{"p_admin_id": boss, "p_code": "SALE"})
	b.owner.Query("update promo.code set expires_at = core.now()")
	require.Equal(t, "cancelled", b.status(late))
	require.Equal(t, "expired", b.status(lost))

	require.Equal(t, "applied", b.Settle("1", late, 13410)["outcome"], "its end and its disabling do not count")
	require.Equal(t, "paid", b.status(late))
	require.Equal(t, []int{1}, b.uses("SALE"))
	paid := b.Settle("2", lost, 13410)
	require.Equal(t, Row{"outcome": "credited", "credited_kopecks": 13410}, pick(paid, "outcome", "credited_kopecks"))
	require.Equal(t, "expired", b.status(lost))
	require.Equal(t, desk.Rich+13410, b.Available(anna))
	b.Reconciled()
}

// TestLatePaymentOfALoserNeedsNoUse: a code that lost was never reserved.
func TestLatePaymentOfALoserNeedsNoUse(t *testing.T) {
	b := setup(t)
	b.issue("SALE", 10, A{"p_max_uses": 1})
	b.owner.Query("update account.account set is_vip = true where telegram_id = $1", anna)
	loser := b.openWith(anna, "SALE", "k")
	b.Pay(anna, b.openWith(anna, "SALE", "k2"))
	b.owner.Query("update account.account set is_vip = false where telegram_id = $1", anna)
	b.Pay(anna, b.openWith(anna, "SALE", "k3"))
	b.One("billing.cancel_purchase", desk.Mine(anna, loser))
	require.Equal(t, "applied", b.Settle("1", loser, 10430)["outcome"])
	b.Reconciled()
}

// TestPaidLateMakesRoom: of two own purchases the one that is paid keeps the use, whichever was opened first.
func TestPaidLateMakesRoom(t *testing.T) {
	b := setup(t)
	b.issue("SALE", 10)
	first := b.openWith(anna, "SALE", "first")
	second := b.openWith(anna, "SALE", "second")
	require.Equal(t, "cancelled", b.status(first))
	require.Equal(t, "applied", b.Settle("1", first, 13410)["outcome"])
	require.Equal(t, "cancelled", b.status(second), "it is not paid and gives its use up")
	require.Len(t, b.uses("SALE"), 1)
	require.Equal(t, "credited", b.Settle("2", second, 13410)["outcome"], "the own limit is consumed")
	require.Equal(t, desk.Rich+13410, b.Available(anna))
	b.Reconciled()

	b.owner.Query("delete from promo.code")
	require.Equal(t, false, b.owner.Value("select promo._retake($1, $2, 1, core.now())", bert, unknown), "a code that is gone")
	require.Equal(t, true, b.owner.Value("select promo._retake($1, $2, null, core.now())", bert, unknown), "nothing to take")
	b.script("insert into promo.code overriding system value " +
		"select promo_id, 'SALE', 10, null, 1, null, true, core.now(), 1, '{}', 'k' from promo.use")
}

func TestReconcileFindsPromoFaults(t *testing.T) {
	b := setup(t)
	names := map[string]any{
		"promo": b.issue("SALE", 10, A{"p_max_uses": 3})["promo_id"],
		"other": b.issue("OTHER", 10)["promo_id"],
		"paid":  b.openWith(anna, "SALE", "paid"),
		"open":  b.openWith(bert, "SALE", "open"),
		"lost":  b.openWith(bert, nil, "lost"),
	}
	b.Pay(anna, names["paid"].(string))
	b.owner.Query("update promo.use set use_no = 1 where telegram_id = $1", anna)
	b.owner.Query("update promo.use set use_no = 2 where telegram_id = $1", bert)
	use := "insert into promo.use (promo_id, use_no, telegram_id, purchase_id, reserved_at) values "
	b.finds(names, []fault{
		{"a use above the limit", "update promo.use set use_no = 4 where use_no = 2", []string{"promo_use_within_limit promo_use:{promo}/4"}},
		{"a limit below the uses", "update promo.code set max_uses = 1 where code = 'SALE'",
			[]string{"promo_use_within_limit promo_use:{promo}/2"}},
		{"a use number zero", "update promo.use set use_no = 0 where use_no = 2", []string{"promo_use_within_limit promo_use:{promo}/0"}},
		{"a code that is gone", "delete from promo.code where code = 'SALE'",
			[]string{"promo_use_within_limit promo_use:{promo}/1", "promo_use_within_limit promo_use:{promo}/2"}},
		{"two uses of one user", use + "({promo}, 3, 1002, '{open}', core.now())",
			[]string{"promo_user_within_limit promo:{promo} telegram_id:1002", "promo_purchase_has_one_use purchase:{open}"}},
		{"a use of no purchase", use + "({promo}, 3, 1, gen_random_uuid(), core.now())",
			[]string{"promo_use_has_purchase promo_use:{promo}/3"}},
		{"a use of another user", "update promo.use set telegram_id = 1 where use_no = 2",
			[]string{"promo_use_has_purchase promo_use:{promo}/2", "promo_purchase_has_one_use purchase:{open}"}},
		{"a use of another code", "update promo.use set promo_id = {other} where use_no = 2",
			[]string{"promo_use_has_purchase promo_use:{other}/2", "promo_purchase_has_one_use purchase:{open}"}},
		{"a use that nobody gave back", "update billing.purchase set status = 'expired' where purchase_id = '{open}'",
			[]string{"promo_use_has_purchase promo_use:{promo}/2"}},
		{"a use given back too early", "delete from promo.use where use_no = 1", []string{"promo_purchase_has_one_use purchase:{paid}"}},
		{"a code's discount without a code", "update billing.purchase set discount_kind = 'promo' where purchase_id = '{lost}'",
			[]string{"promo_discount_has_code purchase:{lost}"}},
		{"a code without its discount", "update billing.purchase set discount_kind = 'vip' where purchase_id = '{open}'",
			[]string{"promo_discount_has_code purchase:{open}"}},
		{"a code without its text", "update billing.purchase set promo_code = null where purchase_id = '{open}'",
			[]string{"promo_discount_has_code purchase:{open}"}},
	})
}
