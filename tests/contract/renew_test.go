package contract_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// renewal runs the batch and gives what it did: renewed, declined.
func (b *bundle) renewal() [2]any {
	b.Helper()
	row := b.One("subscription.renew_due", batch(nil, 100))
	return [2]any{row["renewed"], row["declined"]}
}

// subscriber makes a user with money whose basic month, bought at a moment, renews itself.
func (b *bundle) subscriber(id int, at time.Time, kopecks int) time.Time {
	b.Helper()
	b.owner.At(at)
	b.User(id)
	b.Credit(id, desk.Basic1+kopecks)
	b.Buy(id, "basic", 1, "first")
	b.autoRenew(id, true)
	return b.Ends(id)
}

func TestRenewal(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 1, 31, 10, 0, 0, 0, time.UTC)
	link := "ref_" + b.profile(bert)["referral_code"].(string)
	b.One("account.register", start(2000, link))
	end := b.subscriber(2000, at, desk.Basic1+77)
	before := b.subscription(2000)
	paid := b.owner.Value("select purchase_id from billing.purchase where telegram_id = 2000")

	require.Equal(t, [2]any{0, 0}, b.renewal())
	require.Equal(t, end.Add(-6*time.Hour), b.owner.Value("select renew_check_at from subscription.subscription"))
	b.owner.At(end.Add(-6*time.Hour - time.Microsecond))
	require.Equal(t, [2]any{0, 0}, b.renewal())
	now := end.Add(-6 * time.Hour)
	b.owner.At(now)
	require.Equal(t, [2]any{1, 0}, b.renewal())
	require.Equal(t, [2]any{0, 0}, b.renewal())

	next := end.AddDate(0, 1, 0)
	require.Equal(t, Row(A(before).With("expires_at", next)), b.subscription(2000), "from the end, with the same identity")
	require.Equal(t, 77, b.Available(2000))
	statement := b.All("wallet.statement", A{"p_telegram_id": 2000, "p_limit": 1, "p_before_version": nil})[0]
	require.Equal(t, Row{"version": 3, "reason": "purchase", "amount_kopecks": -desk.Basic1, "available_kopecks": 77},
		pick(statement, "version", "reason", "amount_kopecks", "available_kopecks"))
	row := b.owner.Query("select * from billing.purchase where renews_expires_at is not null")[0]
	require.Equal(t, "purchase:"+row["purchase_id"].(string), statement["reference"])
	require.Equal(t, Row{"status": "paid", "kind": "subscription", "tariff": "basic", "months": 1, "price_kopecks": desk.Basic1,
		"discount_kind": "none", "paid_with": "balance", "closed_at": now, "before_expires_at": end,
		"renews_expires_at": end, "period_starts_at": end, "after_expires_at": next, "available_after_kopecks": 77},
		pick(row, "status", "kind", "tariff", "months", "price_kopecks", "discount_kind", "paid_with", "closed_at",
			"before_expires_at", "renews_expires_at", "period_starts_at", "after_expires_at", "available_after_kopecks"))
	require.Equal(t, [][]any{{"add", before["vpn_uuid"]}, {"add", before["vpn_uuid"]}}, b.nodeJobs(2000))
	require.Equal(t, []string{"payment_applied", "renewal_done"}, b.messages(2000))
	require.Equal(t, []Row{{"purchase_id": paid}, {"purchase_id": row["purchase_id"]}}, b.owner.Query(`
		select purchase_id from outbox.task where telegram_id = 1002 and kind = 'cashback' and name = 'reward'
		  and other_id = 2000 and amount_kopecks = 14900 order by task_id`), "renewals bring cashback too")
	require.Equal(t, next.Add(-6*time.Hour), b.owner.Value("select renew_check_at from subscription.subscription"))
}

func TestRenewalMessage(t *testing.T) {
	b := setup(t)
	end := b.subscriber(2000, time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), desk.Basic1)
	shown := func(template string, want map[string]any) {
		t.Helper()
		for _, message := range b.claim(10) {
			b.One("notify.sent", told(message))
			if message["telegram_id"] == 2000 && message["template"] == template {
				require.Subset(t, message["arguments"], want)
				return
			}
		}
		require.Fail(t, "no "+template)
	}
	shown("payment_applied", nil)
	b.owner.At(end.Add(-time.Hour))
	b.renewal()
	shown("renewal_done", map[string]any{"amount_kopecks": float64(desk.Basic1), "available_kopecks": float64(0),
		"tariff": "basic", "months": float64(1), "expires_at": "2027-05-05T10:00:00+00:00"})
	b.owner.At(end.AddDate(0, 1, 0).Add(-time.Hour))
	require.Equal(t, [2]any{0, 1}, b.renewal())
	shown("renewal_declined", map[string]any{"amount_kopecks": float64(desk.Basic1),
		"tariff": "basic", "months": float64(1), "expires_at": "2027-05-05T10:00:00+00:00"})
}

// TestF8DeclinedThenDeposit: no money at the due time, then a deposit, by every way that money comes.
func TestF8DeclinedThenDeposit(t *testing.T) {
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	for how, deposit := range map[string]func(b *bundle){
		"by an admin": func(b *bundle) { b.Credit(2000, desk.Rich) },
		"a top-up":    func(b *bundle) { b.Settle("c", b.Topup(2000, desk.Rich, "t"), desk.Rich) },
	} {
		t.Run(how, func(t *testing.T) {
			b := setup(t)
			end := b.subscriber(2000, at, 0)
			b.owner.At(end.Add(-5 * time.Hour))
			require.Equal(t, [2]any{0, 1}, b.renewal())
			require.Equal(t, [2]any{0, 0}, b.renewal(), "not looked at again")
			b.Credit(2000, 100)
			require.Equal(t, [2]any{0, 1}, b.renewal(), "tried again after a deposit")
			require.Equal(t, end, b.Ends(2000))
			declined := 0
			for _, name := range b.messages(2000) {
				if name == "renewal_declined" {
					declined++
				}
			}
			require.Equal(t, 1, declined, "one message per period")

			b.owner.At(end.Add(-time.Microsecond))
			deposit(b)
			require.Equal(t, [2]any{1, 0}, b.renewal())
			require.Equal(t, end.AddDate(0, 1, 0), b.Ends(2000))
			b.owner.At(end.AddDate(0, 6, 0))
			b.expire()
			deposit(b)
			require.Equal(t, [2]any{0, 0}, b.renewal(), "what is over is not renewed")
		})
	}
}

func TestDepositAfterTheEndComesTooLate(t *testing.T) {
	b := setup(t)
	end := b.subscriber(2000, time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), 0)
	b.owner.At(end.Add(-time.Hour))
	require.Equal(t, [2]any{0, 1}, b.renewal())
	b.owner.At(end)
	b.Credit(2000, desk.Rich)
	require.Equal(t, [2]any{0, 0}, b.renewal())
	require.Equal(t, desk.Rich, b.Available(2000))
	require.Equal(t, 1, b.expire())
	b.owner.At(end.Add(time.Hour))
	b.Credit(2000, 1)
	b.Reconciled()
	require.Equal(t, [2]any{0, 0}, b.renewal())
}

func TestSwitchedOnAfterTheEnd(t *testing.T) {
	b := setup(t)
	end := b.subscriber(2000, time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), desk.Rich)
	b.autoRenew(2000, false)
	b.owner.At(end.Add(time.Hour))
	b.autoRenew(2000, true)
	b.Reconciled()
	require.Equal(t, 1, b.expire())
	require.Equal(t, [2]any{0, 0}, b.renewal(), "what is over is not renewed")
	b.Buy(2000, "basic", 1, "again")
	b.owner.At(b.Ends(2000).Add(-time.Hour))
	require.Equal(t, [2]any{1, 0}, b.renewal())
}

// TestRefundedRenewal: the end is again one that was renewed; whatever the user switches or pays in, nothing is charged
// and nothing is given up.
func TestRefundedRenewal(t *testing.T) {
	b := setup(t)
	end := b.subscriber(2000, time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), desk.Basic1)
	b.owner.At(end.Add(-time.Hour))
	require.Equal(t, [2]any{1, 0}, b.renewal())
	b.One("billing.refund_purchase", refund(boss, b.owner.Value(
		"select purchase_id from billing.purchase where renews_expires_at is not null").(string)))
	require.Equal(t, end, b.Ends(2000))
	require.Equal(t, [2]any{0, 0}, b.renewal(), "auto-renewal stopped")
	for range 2 {
		b.autoRenew(2000, true)
		require.Equal(t, [2]any{0, 0}, b.renewal())
		b.Credit(2000, 1) // the second is a replay
		require.Equal(t, [2]any{0, 0}, b.renewal())
		b.autoRenew(2000, false)
		b.Reconciled()
	}
	require.Equal(t, desk.Basic1+1, b.Available(2000))
	b.autoRenew(2000, true)
	b.Buy(2000, "basic", 1, "by hand")
	b.owner.At(b.Ends(2000).Add(-time.Hour))
	require.Equal(t, [2]any{0, 1}, b.renewal(), "the next period is a new one")
	require.Zero(t, b.count("ops.dead"))
}

func TestRenewalIsChargedAtMostOncePerPeriod(t *testing.T) {
	b := setup(t)
	end := b.subscriber(2000, time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC), 10*desk.Basic1)
	b.owner.At(end.Add(-time.Hour))
	require.Equal(t, [2]any{1, 0}, b.renewal())
	// The clock is set back by a day, somebody lets the worker look again, whatever the row says.
	b.owner.At(end.AddDate(0, 0, -1))
	b.owner.Query("update subscription.subscription set renew_check_at = core.now()")
	require.Equal(t, [2]any{0, 0}, b.renewal())
	b.owner.At(end.AddDate(0, 0, 1))
	require.Equal(t, [2]any{0, 0}, b.renewal())
	b.owner.Query("update subscription.subscription set expires_at = $1, renew_check_at = $2", end, end.Add(-time.Hour))
	b.owner.At(end.Add(-time.Hour))
	require.Equal(t, [2]any{0, 0}, b.renewal(), "this end was renewed")
	require.Zero(t, b.count("ops.dead"), "and that is no fault")
	require.Equal(t, 9*desk.Basic1, b.Available(2000))
	_, err := b.owner.TryQuery(`insert into billing.purchase (telegram_id, purchase_id, kind, status, list_kopecks,
		discount_kind, discount_percent, price_kopecks, idempotency_key, opened_at, expires_at, renews_expires_at)
		select telegram_id, gen_random_uuid(), kind, status, list_kopecks, discount_kind, discount_percent, price_kopecks,
		  'x', opened_at, expires_at, renews_expires_at from billing.purchase where renews_expires_at is not null`)
	require.ErrorContains(t, err, "purchase_renews_period_once")
	b.harness.BooksAreWrong("the end was moved by hand")
}

func TestRenewalPrice(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	cases := []struct {
		percent, vip int
		until        any
	}{{0, 0, nil}, {0, 1, nil}, {25, 0, nil}, {25, 1, nil}, {33, 1, nil}, {30, 1, nil}, {99, 0, nil}, {50, 0, at.AddDate(0, 0, 3)}}
	for i, test := range cases {
		id := 3000 + i
		b.subscriber(id, at, 100_000)
		b.One("account.set_vip", A{"p_admin_id": boss, "p_telegram_id": id, "p_is_vip": test.vip == 1})
		b.One("account.set_discount", discount(id, test.percent, test.until))
	}
	b.owner.Query("update billing.tariff_price set list_kopecks = 14950") // 33 % off leaves half a kopeck
	b.owner.At(at.AddDate(0, 1, 0).Add(-time.Hour))
	quotes := map[int]Row{}
	for i := range cases {
		quotes[3000+i] = b.One("billing.quote", quoted(3000+i, "basic", 1))
	}
	require.Equal(t, [2]any{len(cases), 0}, b.renewal())
	for id, quote := range quotes {
		row := b.owner.Query(`select list_kopecks, discount_kind::text, discount_percent, price_kopecks,
			after_expires_at as subscription_expires_at
			from billing.purchase where renews_expires_at is not null and telegram_id = $1`, id)[0]
		require.Equal(t, quote, row, "%d", id)
		require.Equal(t, 100_000-quote["price_kopecks"].(int), b.Available(id))
	}
}

func TestFreeRenewal(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	end := b.subscriber(2000, at, 0)
	b.owner.Query("update account.account set discount_percent = 100 where telegram_id = 2000")
	b.owner.At(end.Add(-time.Hour))
	require.Equal(t, [2]any{1, 0}, b.renewal())
	require.Equal(t, Row{"available_kopecks": 0, "held_kopecks": 0, "version": 2, "debt_kopecks": 0},
		b.One("wallet.balance", A{"p_telegram_id": 2000}), "without a ledger row")
	require.Equal(t, 1, b.count("billing.purchase where paid_with = 'free' and price_kopecks = 0"))
	require.Equal(t, end.AddDate(0, 1, 0), b.Ends(2000))
}

func TestRenewalTakesThePlanOfTheLastPurchase(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.subscriber(2000, at, 1_000_000)
	b.Buy(2000, "plus", 3, "bigger")
	end := b.Ends(2000)
	topup := b.Topup(2000, 25000, "later")
	b.Settle("c", topup, 25000)
	b.Open(2000, "basic", 12, "only opened")
	b.owner.At(end.Add(-time.Hour))
	require.Equal(t, [2]any{1, 0}, b.renewal())
	require.Equal(t, Row{"tariff": "plus", "months": 3}, pick(b.owner.Query(
		"select tariff, months from billing.purchase where renews_expires_at is not null")[0], "tariff", "months"))
	require.Equal(t, end.AddDate(0, 3, 0), b.Ends(2000))
}

func TestRenewalOfGrantedTime(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	end := b.subscriber(2000, at, 1_000_000)
	b.owner.At(end)
	b.owner.At(end.Add(time.Hour))
	b.expire()
	b.One("subscription.grant_time", grant(2000, "plus", "1 day", "g"))
	end = b.Ends(2000)
	b.owner.At(end.Add(-time.Hour))
	require.Equal(t, [2]any{1, 0}, b.renewal())
	require.Equal(t, Row{"tariff": "basic", "expires_at": end.AddDate(0, 1, 0)}, pick(b.subscription(2000), "tariff", "expires_at"))
	require.Equal(t, "paid", b.owner.Value("select period::text from subscription.subscription"))
}

func TestMovingUpBringsTheRenewalForward(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.subscriber(2000, at, 1_000_000)
	b.Buy(2000, "basic", 12, "year")
	b.renewal()
	b.One("notify.enqueue_due", batch(nil, 100))
	late := b.Ends(2000)
	b.Buy(2000, "plus", 1, "up")
	end := b.Ends(2000)
	require.True(t, end.Before(late))
	b.owner.At(end.AddDate(0, 0, -3))
	require.Equal(t, 1, b.One("notify.enqueue_due", batch(nil, 100))["enqueued"])
	b.owner.At(end.Add(-time.Hour))
	require.Equal(t, [2]any{1, 0}, b.renewal())
}
