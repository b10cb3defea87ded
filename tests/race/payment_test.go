package race_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

func settle(charge string, purchase, payer any, kopecks int) A {
	return desk.Money("cryptobot", charge, purchase, payer, kopecks, "RUB")
}

func TestE1DuplicateWebhook(t *testing.T) { duplicateWebhook(setup(t)) }

func duplicateWebhook(b *bundle) {
	id := b.Open(bert, "basic", 1, "k")
	first := b.firstAndReplays(b.rush(times(50, b.bots, "billing.settle_payment", settle("c", id, nil, desk.Basic1+100))...))
	require.Equal(b, Row{"outcome": "applied", "telegram_id": bert, "credited_kopecks": 100, "is_replay": false,
		"subscription_expires_at": b.Ends(bert), "payment_id": first["payment_id"]}, first)
	require.Equal(b, 100, b.Available(bert))
	require.Equal(b, 1, b.count("billing.payment"))
	require.Equal(b, 1, b.count("outbox.task where kind = 'provision'"))
}

func TestE1DuplicateOfUnknownMoney(t *testing.T) { duplicateSuspense(setup(t)) }

func duplicateSuspense(b *bundle) {
	first := b.firstAndReplays(b.rush(times(50, b.bots, "billing.settle_payment", settle("c", nil, nil, 500))...))
	require.Equal(b, "suspense", first["outcome"])
	require.Equal(b, 1, b.count("outbox.task where name = 'admin_alarm'"))
}

func TestE3PaidWhileExpiring(t *testing.T) { paidWhileExpiring(setup(t)) }

// paidWhileExpiring lets the sweeper, a provider's payment and a tap on "pay from balance" meet on 20 purchases.
func paidWhileExpiring(b *bundle) {
	users := b.customers(20, desk.Basic1)
	calls := times(10, b.workers, "billing.expire_due", A{"p_epoch": nil, "p_limit": 5})
	for _, user := range users {
		id := b.Open(user, "basic", 1, "k")
		calls = append(calls,
			call{b.bots[0], "billing.settle_payment", settle(id, id, nil, desk.Basic1)},
			call{b.bots[1], "billing.pay_from_balance", desk.Mine(user, id)})
	}
	b.owner.Later("30 minutes")
	for _, a := range b.rush(calls...) {
		switch a.function {
		case "billing.settle_payment":
			require.NoError(b, a.err)
			require.Equal(b, "applied", a.rows[0]["outcome"], "late money is honoured")
		case "billing.pay_from_balance":
			require.Contains(b, []string{"PU002", "PU003"}, a.code())
		default:
			require.NoError(b, a.err)
		}
	}
	for _, user := range users {
		require.Equal(b, desk.Basic1, b.Available(user))
	}
	require.Equal(b, len(users), b.count("billing.purchase where status = 'paid'"))
}

func TestE3PaymentWaitsForTheSweeper(t *testing.T) { paymentAfterSweeper(setup(t)) }

func paymentAfterSweeper(b *bundle) {
	id := b.Open(bert, "basic", 1, "k")
	b.owner.Later("30 minutes")
	a := b.locked(b.harness.DBA,
		func(d *desk.Desk) {
			require.Equal(b, 1, d.One("billing.expire_due", A{"p_epoch": nil, "p_limit": 10})["expired"])
		},
		call{b.bots[0], "billing.settle_payment", settle("c", id, nil, desk.Basic1)}, func() {})
	require.NoError(b, a.err)
	require.Equal(b, "applied", a.rows[0]["outcome"])
	require.Equal(b, 1, b.count("billing.purchase where status = 'paid'"))
}

func TestE3SweeperPassesABusyUser(t *testing.T) { sweeperPasses(setup(t)) }

func sweeperPasses(b *bundle) {
	id := b.Open(bert, "basic", 1, "k")
	b.Open(anna, "basic", 1, "k")
	b.owner.Later("30 minutes")
	ctx := context.Background()
	tx, err := b.bots[0].Begin(ctx)
	require.NoError(b, err)
	defer func() { _ = tx.Rollback(ctx) }()
	b.On(b, tx).Settle("c", id, desk.Basic1)
	sweeper := b.impatient()
	sweep := func() any { return sweeper.One("billing.expire_due", A{"p_epoch": nil, "p_limit": 10})["expired"] }
	require.Equal(b, 1, sweep(), "it waits for nobody")
	require.NoError(b, tx.Commit(ctx))
	require.Equal(b, 0, sweep())
	require.Equal(b, 1, b.count("billing.purchase where status = 'paid'"))
}

func TestE1TwoChargesForOnePurchase(t *testing.T) { twoCharges(setup(t)) }

// twoCharges lets a card and Crypto Pay pay one purchase at once: one buys it, the other one's money is on the balance.
func twoCharges(b *bundle) {
	users := b.customers(20, 0)
	calls := []call{}
	for _, user := range users {
		id := b.Open(user, "basic", 1, "k")
		calls = append(calls, call{b.bots[0], "billing.settle_payment", settle(id, id, nil, desk.Basic1)},
			call{b.bots[1], "billing.settle_payment", desk.Money("telegram", id, id, user, desk.Basic1, "RUB")})
	}
	answers := b.rush(calls...)
	for i, user := range users {
		outcomes := map[any]int{}
		for _, a := range answers[2*i : 2*i+2] {
			require.NoError(b, a.err)
			outcomes[a.rows[0]["outcome"]]++
		}
		require.Equal(b, map[any]int{"applied": 1, "credited": 1}, outcomes)
		require.Equal(b, desk.Basic1, b.Available(user))
	}
	require.Equal(b, len(users), b.count("outbox.task where kind = 'provision'"))
}

func TestE14PollerAndWebhook(t *testing.T) { pollerAndWebhook(setup(t)) }

func pollerAndWebhook(b *bundle) {
	calls := []call{}
	const n = 20
	for i := range n {
		charge := fmt.Sprintf("c%d", i)
		id := b.Topup(bert, 10000, charge)
		calls = append(calls,
			call{b.bots[0], "billing.settle_payment", settle(charge, id, nil, 10000).With("p_raw", `{"by": "webhook"}`)},
			call{b.workers[0], "billing.settle_payment", settle(charge, id, nil, 10000).With("p_raw", `{"by": "poller"}`)})
	}
	answers := b.rush(calls...)
	for i := range n {
		b.firstAndReplays(answers[2*i : 2*i+2])
	}
	require.Equal(b, n*10000, b.Available(bert))
	require.Equal(b, n, b.count("billing.payment"))
}

func TestE16ChargeClaimedByTwo(t *testing.T) { chargeOfTwo(setup(t)) }

// chargeOfTwo lets two payers bring the same charge id for purchases of their own: it is one payment, of one of them.
func chargeOfTwo(b *bundle) {
	before := b.Available(anna) + b.Available(bert)
	calls := []call{}
	const n = 20
	for i := range n {
		charge := fmt.Sprintf("c%d", i)
		for j, user := range []int{anna, bert} {
			calls = append(calls, call{b.bots[j], "billing.settle_payment",
				settle(charge, b.Topup(user, 10000, charge), user, 10000)})
		}
	}
	answers := b.rush(calls...)
	for i := range n {
		b.firstAndReplays(answers[2*i : 2*i+2])
	}
	require.Equal(b, before+n*10000, b.Available(anna)+b.Available(bert))
	require.Equal(b, n, b.count("billing.payment"))
	require.Equal(b, n, b.count("billing.purchase where status = 'paid'"))
}

func TestB8CrossedUsersDoNotDeadlock(t *testing.T) { crossed(setup(t)) }

// crossed lets admins credit each other and users pay for each other's purchases, both ways at once.
func crossed(b *bundle) {
	before := b.deadlocks()
	for _, user := range []int{anna, bert} {
		b.One("account.grant_admin", A{"p_telegram_id": user, "p_note": "n"})
	}
	calls := []call{}
	for i := range 25 {
		key := strconv.Itoa(i)
		for j, pair := range [][2]int{{anna, bert}, {bert, anna}} {
			calls = append(calls,
				call{b.bots[j], "wallet.credit", A{"p_telegram_id": pair[0], "p_amount_kopecks": 10, "p_admin_id": pair[1],
					"p_note": "n", "p_idempotency_key": key}},
				call{b.bots[j], "billing.settle_payment",
					settle(key+strconv.Itoa(j), b.Topup(pair[0], 10000, key), pair[1], 10000)},
				call{b.bots[j], "billing.open_purchase", desk.Choice(pair[0], "basic", 1, key)},
				call{b.workers[j], "billing.expire_due", A{"p_epoch": nil, "p_limit": 100}},
				call{b.workers[j], "notify.claim", desk.ClaimArgs("w", 5)})
		}
	}
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
	}
	require.Equal(b, desk.Rich+250+250_000, b.Available(anna))
	require.Equal(b, 250+250_000, b.Available(bert))
	require.Equal(b, before, b.deadlocks())
}
