package race_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// link is the start payload of a user's referral link.
func (b *bundle) link(id int) string {
	b.Helper()
	return "ref_" + b.One("account.profile", A{"p_telegram_id": id})["referral_code"].(string)
}

func started(id int, payload any) A {
	return A{"p_telegram_id": id, "p_username": "neo", "p_language": "en", "p_start_payload": payload}
}

// guests registers n users by the links of the referrers in turn, each with money.
func (b *bundle) guests(n, kopecks int, referrers ...int) []int {
	b.Helper()
	ids := make([]int, n)
	for i := range ids {
		ids[i] = 5000 + i
		b.One("account.register", started(ids[i], b.link(referrers[i%len(referrers)])))
		b.Credit(ids[i], kopecks)
	}
	return ids
}

var payDue = A{"p_epoch": nil, "p_limit": 7}

func TestC1RewardOnce(t *testing.T) { rewardOnce(setup(t)) }

// rewardOnce lets ten workers work the same promises at once, while their sessions are shot.
func rewardOnce(b *bundle) {
	const buyers, each = 30, 3
	for _, id := range b.guests(buyers, each*desk.Basic1, anna, bert, boss) {
		for _, key := range []string{"1", "2", "3"} {
			b.Buy(id, "basic", 1, key)
		}
	}
	before := b.Available(anna) + b.Available(bert) + b.Available(boss)

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var all sync.WaitGroup
	var answered, shot atomic.Int64
	waiting := func() int { return b.count("outbox.task where kind = 'cashback' and finished_at is null") }
	for i := range workers {
		all.Go(func() {
			d := b.On(b, b.workers[i%len(b.workers)])
			for ctx.Err() == nil && waiting() > 0 {
				_, err := d.Try("referral.pay_due", payDue)
				if err == nil {
					answered.Add(1)
				} else if desk.Code(err) != "57P01" {
					b.Errorf("pay_due: %v", err)
					return
				}
			}
		})
	}
	for ctx.Err() == nil && shot.Load() < 100 && waiting() > 0 {
		rows := b.owner.On(b, b.super).Query(`select pg_terminate_backend(pid) as shot from pg_stat_activity
			where datname = current_database() and usename = 'atlas_worker_login' and state = 'active'
			  and query like '%pay_due%' order by random() limit 1`)
		shot.Add(int64(len(rows)))
	}
	all.Wait()
	b.Logf("%d runs answered, %d sessions shot", answered.Load(), shot.Load())
	require.NoError(b, ctx.Err())
	require.Positive(b, shot.Load(), "nothing was shot: this proves nothing")
	require.Equal(b, buyers*each, b.count("referral.reward where status = 'paid'"))
	require.Equal(b, buyers*each, b.count("ledger.transfer where reason = 'cashback'"))
	require.Equal(b, before+buyers*each*1490, b.Available(anna)+b.Available(bert)+b.Available(boss))
	require.Equal(b, buyers*each, b.count("outbox.task where name = 'cashback'"), "told once of each")
}

func TestC8WorkerDiesAfterTheCredit(t *testing.T) { workerDies(setup(t)) }

func workerDies(b *bundle) {
	for _, id := range b.guests(5, desk.Basic1, anna) {
		b.Buy(id, "basic", 1, "k")
	}
	ctx := context.Background()
	tx, err := b.workers[0].Begin(ctx)
	require.NoError(b, err)
	paid := b.On(b, tx).One("referral.pay_due", payDue)
	require.Equal(b, Row{"paid": 5, "paid_kopecks": 5 * 1490}, paid)
	b.owner.On(b, b.super).Query("select pg_terminate_backend($1)", tx.Conn().PgConn().PID())
	require.Error(b, tx.Commit(ctx), "it never got to say so")
	b.until("the dead worker's locks are gone", "select not exists (select from pg_stat_activity where pid = $1)",
		tx.Conn().PgConn().PID())

	require.Equal(b, desk.Rich, b.Available(anna))
	require.Equal(b, paid, b.On(b, b.workers[1]).One("referral.pay_due", payDue), "the next one pays all of it")
	require.Equal(b, Row{"paid": 0, "paid_kopecks": 0}, b.On(b, b.workers[0]).One("referral.pay_due", payDue), "and nobody once more")
	require.Equal(b, desk.Rich+5*1490, b.Available(anna))
}

func TestC4Rings(t *testing.T) { rings(setup(t)) }

// rings lets users bind each other in rings, and newcomers bind to anybody, all at once.
func rings(b *bundle) {
	users := b.customers(12, 0)
	calls := []call{}
	for _, size := range []int{2, 3, 5} {
		for i := range size {
			calls = append(calls, call{b.bots[i%2], "account.register", started(users[i], b.link(users[(i+1)%size]))})
		}
	}
	for i := range 40 {
		calls = append(calls, call{b.bots[i%2], "account.register",
			started(6000+i, b.link(users[b.random.IntN(len(users))]))})
	}
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
		isNew := a.args["p_telegram_id"].(int) >= 6000
		require.Equal(b, isNew, a.rows[0]["referrer_id"] != nil, "only newcomers are bound")
	}
	// Newcomers are each other's, and the old ones', next link.
	calls = nil
	for i := range 40 {
		calls = append(calls, call{b.bots[i%2], "account.register", started(6000+i, b.link(6000+(i+1)%40))},
			call{b.bots[i%2], "account.register", started(users[i%12], b.link(6000+i))})
	}
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
		require.Equal(b, "already_registered", a.rows[0]["bind_refusal"])
	}
	require.Equal(b, 40, b.count("account.account where referrer_id is not null"))
	require.Equal(b, 0, b.owner.Value(`
		with recursive up as (
		  select telegram_id as from_id, referrer_id, 1 as steps from account.account where referrer_id is not null
		  union all
		  select u.from_id, a.referrer_id, u.steps + 1 from up u
		  join account.account a on a.telegram_id = u.referrer_id where a.referrer_id is not null and u.steps < 100)
		select count(*) from up where referrer_id = from_id or steps = 100`), "no way up leads back")
}

func TestC5MutualPurchases(t *testing.T) {
	b := setup(t)
	b.harness.BooksAreWrong("users who invited each other cannot be made but by the owner")
	b.tolerated = "reconcile: referrer_is_older"
	mutual(b)
	for _, row := range b.Query("select check_name from ops.reconcile()") {
		require.Equal(t, "referrer_is_older", row["check_name"])
	}
}

// mutual lets pairs buy at once who are each other's referrers, while the workers pay their cashback.
func mutual(b *bundle) {
	const pairs = 100
	users := b.customers(2*pairs, desk.Basic1)
	b.owner.Query(`update account.account set referrer_id = case when telegram_id % 2 = 0 then telegram_id + 1
		else telegram_id - 1 end where telegram_id between $1 and $2`, users[0], users[len(users)-1])
	deadlocks := b.owner.Value("select deadlocks from pg_stat_database where datname = current_database()")
	calls := []call{}
	for i, user := range users {
		calls = append(calls, call{b.bots[i%2], "billing.pay_from_balance", desk.Mine(user, b.Open(user, "basic", 1, "k"))})
	}
	calls = append(calls, times(30, b.workers, "referral.pay_due", A{"p_epoch": nil, "p_limit": 50})...)
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
	}
	for b.count("outbox.task where kind = 'cashback' and finished_at is null") > 0 {
		b.rush(times(workers, b.workers, "referral.pay_due", A{"p_epoch": nil, "p_limit": 50})...)
	}
	require.Equal(b, len(users), b.count("referral.reward where status = 'paid'"), "all rewards, once")
	require.Equal(b, len(users), b.count("wallet.wallet where telegram_id >= 3000 and available_kopecks = $1", 1490))
	b.until("the statistics are written", "select pg_stat_clear_snapshot() is not null")
	require.Equal(b, deadlocks, b.owner.Value("select deadlocks from pg_stat_database where datname = current_database()"))
}

func TestBusyReferrerIsLeftForTheNextRun(t *testing.T) { busyReferrer(setup(t)) }

func busyReferrer(b *bundle) {
	for _, id := range b.guests(4, desk.Basic1, anna, bert) {
		b.Buy(id, "basic", 1, "k")
	}
	worker := b.impatient()
	ctx := context.Background()
	tx, err := b.harness.DBA.Begin(ctx)
	require.NoError(b, err)
	defer func() { _ = tx.Rollback(ctx) }()
	b.On(b, tx).One("account.set_language", A{"p_telegram_id": anna, "p_language": "en"})
	require.Equal(b, Row{"paid": 2, "paid_kopecks": 2980}, worker.One("referral.pay_due", payDue))
	require.NoError(b, tx.Commit(ctx))
	require.Equal(b, Row{"paid": 2, "paid_kopecks": 2980}, worker.One("referral.pay_due", payDue))
}
