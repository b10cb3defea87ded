package race_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

var renewDue = A{"p_epoch": nil, "p_limit": 20}

// subscribers makes n users with a month of basic that renews itself and money for so many renewals, and moves the
// clock to an hour before the end.
func (b *bundle) subscribers(n, renewals int) []int {
	b.Helper()
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	users := b.customers(n, (1+renewals)*desk.Basic1)
	for _, user := range users {
		b.Buy(user, "basic", 1, "first")
		b.One("subscription.set_auto_renew", A{"p_telegram_id": user, "p_is_on": true})
	}
	b.owner.At(at.AddDate(0, 1, 0).Add(-time.Hour))
	return users
}

// charged is how many purchases and charges a user has.
func (b *bundle) charged(user int) Row {
	b.Helper()
	return b.owner.Query(`select count(*) as purchases, count(u.renews_expires_at) as renewals,
		(select count(*) from ledger.transfer t where t.telegram_id = $1 and t.reason = 'purchase') as charges
		from billing.purchase u where u.telegram_id = $1 and u.status = 'paid'`, user)[0]
}

func TestF1FleetRenewal(t *testing.T) { fleetRenewal(setup(t)) }

// fleetRenewal lets three workers renew 500 subscriptions while their sessions are killed again and again: each is
// charged once and none is lost.
func fleetRenewal(b *bundle) {
	const due = 500
	b.owner.At(time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC))
	b.owner.Query(`select count(r) from generate_series(3000, 3000 + $1 - 1) g
		cross join lateral account.register(g, null, 'en', null) r`, due)
	b.owner.Query(`select count(c) from generate_series(3000, 3000 + $1 - 1) g
		cross join lateral wallet.credit(g, 100000, 1, 'gift', 'gift') c`, due)
	b.owner.Query(`select count(p) from generate_series(3000, 3000 + $1 - 1) g
		cross join lateral billing.open_purchase(g, 'basic', 1, null, 'first') o
		cross join lateral billing.pay_from_balance(g, o.purchase_id) p`, due)
	b.owner.Query(`select count(s) from generate_series(3000, 3000 + $1 - 1) g
		cross join lateral subscription.set_auto_renew(g, true) s`, due)
	b.owner.At(time.Date(2027, 4, 5, 9, 0, 0, 0, time.UTC))

	limit := 10 + b.random.IntN(30)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var mu sync.Mutex
	killed, renewed := 0, 0
	left := func() bool {
		rows, err := b.owner.TryQuery("select count(*) as n from subscription.subscription where renew_check_at <= core.now()")
		return err != nil || rows[0]["n"].(int) > 0
	}
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			d := b.On(b, b.workers[i%2])
			for ctx.Err() == nil && left() {
				rows, err := d.Try("subscription.renew_due", A{"p_epoch": nil, "p_limit": limit})
				mu.Lock()
				if err != nil {
					killed++
				} else {
					renewed += rows[0]["renewed"].(int)
				}
				mu.Unlock()
			}
		})
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for kills := int64(0); kills < 8 && ctx.Err() == nil && left(); {
			tag, err := b.super.Exec(ctx, `select pg_terminate_backend(pid) from (
				select a.pid from pg_stat_activity a
				where a.datname = current_database() and a.usename = 'atlas_worker_login' and a.state = 'active'
				  and a.query like '%renew_due%' order by random() limit 1) x`)
			if err == nil {
				kills += tag.RowsAffected()
			}
		}
	}()
	all.Wait()
	<-stopped
	require.NoError(b, ctx.Err())
	b.Logf("killed %d runs; %d renewals were answered", killed, renewed)
	require.Positive(b, killed, "nothing was killed: this proves nothing")
	require.LessOrEqual(b, renewed, due)
	require.Equal(b, due, b.count("billing.purchase where renews_expires_at = '2027-04-05 10:00+00' and status = 'paid'"))
	require.Equal(b, due, b.count(`(select telegram_id from ledger.transfer where reason = 'purchase' and telegram_id >= 3000
		group by 1 having count(*) = 2) x`))
	require.Equal(b, due, b.count("wallet.wallet where available_kopecks = $1 and telegram_id >= 3000", 100000-2*desk.Basic1))
	require.Equal(b, due, b.count("subscription.subscription where expires_at = '2027-05-05 10:00+00'"))
	require.Equal(b, due, b.count("outbox.task where name = 'renewal_done'"))
}

func TestA3PurchaseAndRenewal(t *testing.T) { purchaseAndRenewal(setup(t)) }

// purchaseAndRenewal lets people pay by hand while three workers renew the same subscriptions. Who pays first moves
// the end out of the renewal's window; a renewal and a purchase after it are two periods, both paid.
func purchaseAndRenewal(b *bundle) {
	users := b.subscribers(20, 2)
	end := b.Ends(users[0])
	calls := times(6, b.workers, "subscription.renew_due", renewDue)
	for i, user := range users {
		calls = append(calls, call{b.bots[i%2], "billing.pay_from_balance", desk.Mine(user, b.Open(user, "basic", 1, "k"))})
	}
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
	}
	b.rush(times(2, b.workers, "subscription.renew_due", renewDue)...)
	for _, user := range users {
		now := b.charged(user)
		require.Contains(b, []any{0, 1}, now["renewals"])
		require.Equal(b, 2+now["renewals"].(int), now["purchases"])
		require.Equal(b, now["purchases"], now["charges"])
		require.Equal(b, end.AddDate(0, now["purchases"].(int)-1, 0), b.Ends(user), "no period is free, none is lost")
		require.Equal(b, (3-now["charges"].(int))*desk.Basic1, b.Available(user))
	}
}

func TestA3RenewalWithMoneyForOne(t *testing.T) { renewalMoneyForOne(setup(t)) }

func renewalMoneyForOne(b *bundle) {
	users := b.subscribers(20, 1)
	end := b.Ends(users[0])
	calls := times(6, b.workers, "subscription.renew_due", renewDue)
	for i, user := range users {
		calls = append(calls, call{b.bots[i%2], "billing.pay_from_balance", desk.Mine(user, b.Open(user, "basic", 1, "k"))})
	}
	for _, a := range b.rush(calls...) {
		require.Contains(b, []string{"", "WA001"}, a.code())
	}
	b.rush(times(2, b.workers, "subscription.renew_due", renewDue)...)
	for _, user := range users {
		require.Equal(b, Row{"purchases": 2, "charges": 2}, Row{
			"purchases": b.charged(user)["purchases"], "charges": b.charged(user)["charges"]})
		require.Equal(b, 0, b.Available(user))
		require.Equal(b, end.AddDate(0, 1, 0), b.Ends(user))
	}
	require.Equal(b, 0, b.count("outbox.task where name = 'renewal_declined'"), "who paid is not told of too little money")
}

func TestF2RenewalPassesABusyUser(t *testing.T) { renewalPasses(setup(t)) }

func renewalPasses(b *bundle) {
	users := b.subscribers(3, 1)
	tx, err := b.bots[0].Begin(context.Background())
	require.NoError(b, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	b.On(b, tx).One("account.set_language", A{"p_telegram_id": users[1], "p_language": "en"})
	worker := b.impatient()
	renew := func() any { return worker.One("subscription.renew_due", renewDue)["renewed"] }
	require.Equal(b, 2, renew(), "it waits for nobody")
	require.NoError(b, tx.Commit(context.Background()))
	require.Equal(b, 1, renew(), "and comes back at the next tick")
}

func TestF8RenewalAndDeposit(t *testing.T) { renewalAndDeposit(setup(t)) }

// renewalAndDeposit brings the money while workers look: whatever the order, the period is renewed once.
func renewalAndDeposit(b *bundle) {
	users := b.subscribers(20, 0)
	calls := times(8, b.workers, "subscription.renew_due", renewDue)
	for i, user := range users {
		calls = append(calls, call{b.bots[i%2], "billing.settle_payment",
			settle(b.Topup(user, desk.Basic1, "t"), b.Topup(user, desk.Basic1, "t"), nil, desk.Basic1)})
	}
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
	}
	b.One("subscription.renew_due", renewDue)
	for _, user := range users {
		require.Equal(b, 1, b.charged(user)["renewals"])
		require.Equal(b, 0, b.Available(user))
		require.LessOrEqual(b, b.count("outbox.task where name = 'renewal_declined' and telegram_id = $1", user), 1)
	}
}

func TestA10TrialRace(t *testing.T) { trialRace(setup(t)) }

func trialRace(b *bundle) {
	calls := times(5, b.bots, "billing.pay_from_balance", desk.Mine(anna, b.Open(anna, "basic", 1, "k")))
	for i := range 20 {
		calls = append(calls, call{b.bots[i%2], "subscription.start_trial",
			A{"p_telegram_id": anna, "p_idempotency_key": string(rune('a' + i%4))}})
	}
	started := 0
	for _, a := range b.rush(calls...) {
		if a.function == "subscription.start_trial" {
			require.Contains(b, []string{"", "SU002", "SU003"}, a.code())
			if a.err == nil && a.rows[0]["is_replay"] == false {
				started++
			}
		} else {
			require.NoError(b, a.err)
		}
	}
	require.LessOrEqual(b, started, 1)
	require.Equal(b, started, b.count("subscription.change where kind = 'trial'"))
	require.Equal(b, "active", b.One("subscription.current", A{"p_telegram_id": anna})["status"])
}

func TestA10TrialWaitsForThePurchase(t *testing.T) { trialAfterPurchase(setup(t)) }

func trialAfterPurchase(b *bundle) {
	id := b.Open(anna, "basic", 1, "k")
	a := b.locked(b.harness.DBA, func(d *desk.Desk) { d.Pay(anna, id) },
		call{b.bots[0], "subscription.start_trial", A{"p_telegram_id": anna, "p_idempotency_key": "k"}}, func() {})
	require.Equal(b, "SU003", a.code())
	require.Zero(b, b.count("subscription.change where kind = 'trial'"))
}

func TestF1ExpiryAndPurchase(t *testing.T) { expiryAndPurchase(setup(t)) }

// expiryAndPurchase lets the worker end subscriptions while their users buy: each has one identity in the end, and
// the node is told to forget the other one.
func expiryAndPurchase(b *bundle) {
	users := b.subscribers(20, 1)
	old := map[int]any{}
	for _, user := range users {
		b.One("subscription.set_auto_renew", A{"p_telegram_id": user, "p_is_on": false})
		old[user] = b.One("subscription.current", A{"p_telegram_id": user})["vpn_uuid"]
	}
	b.owner.At(b.Ends(users[0]))
	calls := times(6, b.workers, "subscription.expire_due", renewDue)
	for i, user := range users {
		calls = append(calls, call{b.bots[i%2], "billing.pay_from_balance", desk.Mine(user, b.Open(user, "basic", 1, "k"))})
	}
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
	}
	for _, user := range users {
		now := b.One("subscription.current", A{"p_telegram_id": user})
		require.Equal(b, Row{"status": "active", "activation": "pending"},
			Row{"status": now["status"], "activation": now["activation"]})
		require.NotEqual(b, old[user], now["vpn_uuid"])
		require.Equal(b, 1, b.count("outbox.task where telegram_id = $1 and name = 'remove' and vpn_uuid = $2", user, old[user]))
		require.Equal(b, 1, b.count("outbox.task where telegram_id = $1 and name = 'remove'", user))
	}
}

func TestH4OneReissue(t *testing.T) { oneReissue(setup(t)) }

func oneReissue(b *bundle) {
	b.Buy(anna, "basic", 1, "k")
	first := b.firstAndReplays(b.rush(times(20, b.bots, "vpn.reissue",
		A{"p_telegram_id": anna, "p_admin_id": nil, "p_idempotency_key": "k"})...))
	require.Equal(b, first["vpn_uuid"], b.One("subscription.current", A{"p_telegram_id": anna})["vpn_uuid"])
	require.Equal(b, 3, b.count("outbox.task where kind = 'provision'"))
}

func TestH4TwoAdminsReissueAtOnce(t *testing.T) { twoReissues(setup(t)) }

// twoReissues: two admins, each with a tap of their own, and no lock before the database, or one that was lost. However many
// new keys that makes, one identity is let in afterwards, and every other one is taken away once.
func twoReissues(b *bundle) {
	b.One("account.grant_admin", A{"p_telegram_id": bert, "p_note": "second"})
	b.Buy(anna, "basic", 1, "k")
	calls := []call{}
	for i, admin := range []int{boss, bert} {
		calls = append(calls, times(10, b.bots[i:i+1], "vpn.reissue", A{"p_telegram_id": anna, "p_admin_id": admin, "p_idempotency_key": []string{"tap", "other tap"}[i]})...)
	}
	answers := map[any]int{}
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
		if a.rows[0]["is_replay"] == false {
			answers[a.rows[0]["vpn_uuid"]]++
		}
	}
	require.Len(b, answers, 2, "one for each admin's tap, however often it arrives")
	now := b.One("subscription.current", A{"p_telegram_id": anna})["vpn_uuid"]
	require.Contains(b, answers, now)
	require.Equal(b, []Row{{"vpn_uuid": now}}, b.owner.Query("select distinct vpn_uuid::text from outbox.task where kind = 'provision' and name = 'add' "+
		"and vpn_uuid not in (select vpn_uuid from outbox.task where name = 'remove')"), "one is let in")
	require.Equal(b, 2, b.count("outbox.task where kind = 'provision' and name = 'remove'"), "the bought one and the first new one go, once each")
}

func TestRemindersAreSentOnce(t *testing.T) { remindersOnce(setup(t)) }

func remindersOnce(b *bundle) {
	users := b.subscribers(30, 0)
	for _, before := range []time.Duration{72 * time.Hour, 24 * time.Hour, 3 * time.Hour} {
		b.owner.At(time.Date(2027, 4, 5, 10, 0, 0, 0, time.UTC).Add(-before))
		enqueued := 0
		for _, a := range b.rush(times(workers, b.workers, "notify.enqueue_due", A{"p_epoch": nil, "p_limit": 7})...) {
			require.NoError(b, a.err)
			enqueued += a.rows[0]["enqueued"].(int)
		}
		require.Equal(b, len(users), enqueued)
	}
	require.Equal(b, 3*len(users), b.count("outbox.task where name like 'reminder%'"))
}
