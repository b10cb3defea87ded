package contract_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

func TestReversalOfEveryOutcome(t *testing.T) {
	b := setup(t)
	for i, test := range []struct {
		name     string
		purchase func(user int) any
		amount   int
		between  func(user int, purchase any) // what happens between payment and reversal
		left     [2]int
		debt     int
		messages []string
		status   any
	}{
		{name: "a subscription", amount: desk.Basic1, purchase: func(u int) any { return b.Open(u, "basic", 1, "k") },
			messages: []string{"payment_applied", "payment_reversed"}, status: "refunded"},
		{name: "overpaid", amount: desk.Basic1 + 700, purchase: func(u int) any { return b.Open(u, "basic", 1, "k") },
			messages: []string{"payment_credited", "payment_applied", "payment_reversed"}, status: "refunded"},
		{name: "short by 50 kopecks", amount: desk.Basic1 - 50, purchase: func(u int) any { return b.Open(u, "basic", 1, "k") },
			messages: []string{"payment_applied", "payment_reversed"}, status: "refunded"},
		{name: "a top-up", amount: 25000, purchase: func(u int) any { return b.Topup(u, 25000, "k") },
			messages: []string{"payment_credited", "payment_reversed"}, status: "paid"},
		{name: "a top-up that was spent", amount: 25000, purchase: func(u int) any { return b.Topup(u, 25000, "k") },
			between: func(u int, _ any) { b.Buy(u, "basic", 1, "spend") }, left: [2]int{0, desk.Basic1}, debt: desk.Basic1,
			messages: []string{"payment_credited", "payment_applied", "payment_reversed"}, status: "paid"},
		{name: "underpaid", amount: 5000, purchase: func(u int) any { return b.Open(u, "basic", 1, "k") },
			messages: []string{"payment_credited", "payment_reversed"}, status: "open"},
		{name: "refunded before", amount: desk.Basic1, purchase: func(u int) any { return b.Open(u, "basic", 1, "k") },
			between:  func(_ int, p any) { b.One("billing.refund_purchase", refund(boss, p)) },
			messages: []string{"payment_applied", "refunded", "payment_reversed"}, status: "refunded"},
		{name: "refunded before, short by 50 kopecks", amount: desk.Basic1 - 50,
			purchase: func(u int) any { return b.Open(u, "basic", 1, "k") },
			between:  func(_ int, p any) { b.One("billing.refund_purchase", refund(boss, p)) },
			messages: []string{"payment_applied", "refunded", "payment_reversed"}, status: "refunded"},
		{name: "refunded before, overpaid and spent", amount: desk.Basic1 + 100,
			purchase: func(u int) any { return b.Open(u, "basic", 1, "k") },
			between: func(u int, p any) {
				b.One("billing.refund_purchase", refund(boss, p))
				b.Buy(u, "basic", 1, "spend")
			}, left: [2]int{0, desk.Basic1}, debt: desk.Basic1,
			messages: []string{"payment_credited", "payment_applied", "refunded", "payment_applied", "payment_reversed"},
			status:   "refunded"},
		{name: "a paid purchase", amount: desk.Basic1, purchase: func(u int) any {
			b.One("wallet.credit", by(boss, u, desk.Basic1, "n", "n"))
			id := b.Open(u, "basic", 1, "k")
			b.Pay(u, id)
			return id
		}, messages: []string{"payment_applied", "payment_credited", "payment_reversed"}, status: "paid"},
	} {
		user := 3000 + i
		b.User(user)
		id := test.purchase(user)
		b.Settle(test.name, id, test.amount)
		if test.between != nil {
			test.between(user, id)
		}
		require.Equal(t, reversed(test.debt, false), b.reverse(test.name, test.amount), test.name)
		require.Equal(t, test.left, b.balances(user), test.name)
		require.Equal(t, test.messages, b.messages(user), test.name)
		require.Equal(t, test.status, b.statusOf(id), test.name)
		require.Equal(t, []Row{{"amount_kopecks": test.amount, "debt": fmt.Sprint(test.debt)}}, b.owner.Query(`
			select amount_kopecks, arguments ->> 'debt_kopecks' as debt from outbox.task
			where telegram_id = $1 and name = 'payment_reversed'`, user), test.name)
		before := b.fingerprint()
		require.Equal(t, reversed(test.debt, true), b.reverse(test.name, test.amount), test.name)
		require.Equal(t, before, b.fingerprint(), "%s: a replay changes nothing", test.name)
		require.Equal(t, settled("reversed", user, 0, nil, true), b.settle(rub(test.name, id, nil, test.amount)), test.name)
	}
	require.Empty(t, b.alarms())
}

func TestReversalTakesThePeriodAndTheCashbackBack(t *testing.T) {
	b := setup(t)
	const carol = 1003
	b.referred(carol, desk.Rich)
	id := b.Open(carol, "basic", 1, "1")
	b.Settle("c", id, desk.Basic1)
	b.Buy(carol, "basic", 1, "2")
	end := b.Ends(carol)
	first := end.AddDate(0, 0, -1)
	require.Equal(t, reversed(0, false), b.reverse("c", desk.Basic1))
	require.Less(t, b.Ends(carol), first)
	require.Equal(t, "active", b.subscription(carol)["status"], "what was paid otherwise stays")
	require.Len(t, b.cashback(id), 2)
	require.Equal(t, Row{"kind": "reversal", "actor_id": nil, "refunded_kopecks": 0}, b.owner.Query(
		"select kind::text, actor_id, refunded_kopecks from billing.refund where purchase_id = $1", id)[0])
}

func TestE15ReversalAfterRenewal(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Settle("first", b.Open(bert, "basic", 1, "1"), desk.Basic1)
	b.Settle("second", b.Open(bert, "basic", 1, "2"), desk.Basic1)
	b.owner.At(at.AddDate(0, 1, 15))
	require.Equal(t, reversed(0, false), b.reverse("first", desk.Basic1))
	require.Equal(t, "expired", b.subscription(bert)["status"], "a month was used, and a month is paid")
	require.Equal(t, reversed(0, false), b.reverse("second", desk.Basic1))
	require.Equal(t, [2]int{0, 0}, b.balances(bert))
}

func TestE15ReversalBeforeItsPayment(t *testing.T) {
	b := setup(t)
	id := b.Open(bert, "basic", 1, "k")
	require.Equal(t, reversed(0, false), b.reverse("c", desk.Basic1))
	require.Equal(t, reversed(0, true), b.reverse("c", desk.Basic1))
	require.Equal(t, settled("reversed", nil, 0, nil, true), b.settle(rub("c", id, nil, desk.Basic1)))
	require.Equal(t, reversed(0, true), b.reverse("c", desk.Basic1))
	require.Equal(t, "open", b.statusOf(id))
	require.Empty(t, b.messages(bert))
	require.Empty(t, b.alarms())
	require.Equal(t, "applied", b.settle(rub("another", id, nil, desk.Basic1))["outcome"], "it can still be paid")
}

func TestReversalWithAnotherAmountIsOfTheWhole(t *testing.T) {
	b := setup(t)
	b.Settle("c", b.Topup(bert, 25000, "k"), 25000)
	require.Equal(t, reversed(0, false), b.reverse("c", 100))
	require.Equal(t, [2]int{0, 0}, b.balances(bert))
	require.Equal(t, []string{"payment_amount_differs"}, b.alarms())
}

// TestChargeThatMoves: a charge that is given to a user between the two looks has to be looked at again.
func TestChargeThatMoves(t *testing.T) {
	b := setup(t)
	for function, args := range map[string]A{
		"billing.begin_refund":    {"p_admin_id": boss, "p_provider": "cryptobot", "p_charge_id": "refund", "p_reason": "why"},
		"billing.reverse_payment": reversal("cryptobot", "reverse", 500, "RUB"),
	} {
		b.moveCharge(args["p_charge_id"].(string), func() error { _, err := b.Try(function, args); return err })
		desk.Met(function, "40001")
		b.One(function, args)
	}
	require.Equal(t, 500, b.Available(bert), "one of the two charges is reversed")
}

// moveCharge gives a charge to Bert while a call has looked at whose it is, and sees it refused.
func (b *bundle) moveCharge(charge string, call func() error) {
	t := b.Desk.TB
	t.Helper()
	id := b.Settle(charge, unknown, 500)["payment_id"]
	ctx := context.Background()
	super, err := pgx.Connect(ctx, b.harness.DSN(harness.Superuser))
	require.NoError(t, err)
	defer func() { _ = super.Close(ctx) }()
	tx, err := b.harness.Owner.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	b.On(t, tx).One("billing.resolve_suspense", resolve(boss, id, bert, nil))

	done := make(chan error, 1)
	go func() { done <- call() }()
	require.Eventually(t, func() bool {
		return b.On(t, super).Value(`select exists (select from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock')`) == true
	}, 20*time.Second, 2*time.Millisecond)
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, "40001", desk.Code(<-done))
}

func TestReversalIsNeverSwitchedOff(t *testing.T) {
	b := setup(t)
	b.Settle("c", b.Topup(bert, 25000, "k"), 25000)
	b.owner.Query("update ops.feature set is_on = false")
	b.owner.Query("update billing.provider set is_offered = false")
	require.Equal(t, reversed(0, false), b.reverse("c", 25000))
}
