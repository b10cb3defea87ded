package race_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

// lossyPools are two processes' pools that lose a share of the answers, and how many were lost.
func (b *bundle) lossyPools(role harness.Role, share float64) ([]*pgxpool.Pool, func() int) {
	b.Helper()
	one, first := b.harness.LossyPool(b, role, harness.Loss{Seed: b.random.Uint64(), Answer: share})
	other, second := b.harness.LossyPool(b, role, harness.Loss{Seed: b.random.Uint64(), Answer: share})
	return []*pgxpool.Pool{one, other}, func() int {
		_, n, _, _ := first.Counts()
		_, m, _, _ := second.Counts()
		return n + m
	}
}

// isDefinite tells whether an answer says what became of the call, and asking again would not help.
func isDefinite(err error) bool {
	var refusal *pgconn.PgError
	if err == nil {
		return true
	}
	return errors.As(err, &refusal) && refusal.Code != "57P01" && refusal.Code != "40001" && refusal.Code != "40P01"
}

// insist is rush where everybody asks again, with the same arguments, until they know what became of their call.
func (b *bundle) insist(calls ...call) []answer {
	b.Helper()
	return b.start(calls, func(c call) answer {
		for {
			rows, err := b.On(b, c.pool).Try(c.function, c.args)
			if isDefinite(err) {
				return answer{c, rows, err}
			}
		}
	})
}

// sameAnswer demands that all answers say the same, and that at most one of them is the first. Where answers are lost the
// first one may be lost, too.
func (b *bundle) sameAnswer(answers []answer) Row {
	b.Helper()
	firsts := 0
	for _, a := range answers {
		require.NoError(b, a.err)
		require.Len(b, a.rows, 1)
		if a.rows[0]["is_replay"] == false {
			firsts++
		}
		a.rows[0]["is_replay"] = true
		require.Equal(b, answers[0].rows[0], a.rows[0])
	}
	require.LessOrEqual(b, firsts, 1)
	return answers[0].rows[0]
}

// shooting ends sessions of bots and workers, one after the other, in the middle of what they do.
type shooting struct {
	shots atomic.Int64
	stop  func()
}

// shoot begins to, until stop is called or it has shot so many.
func (b *bundle) shoot(most int64) *shooting {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	conn, err := pgx.Connect(ctx, b.harness.DSN(harness.Superuser))
	require.NoError(b, err)
	s := &shooting{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = conn.Close(context.Background()) }()
		ticker := time.NewTicker(poll)
		defer ticker.Stop()
		for ctx.Err() == nil && s.shots.Load() < most {
			tag, err := conn.Exec(ctx, `select pg_terminate_backend(a.pid) from (
				select pid from pg_stat_activity where datname = current_database() and state = 'active'
				  and usename in ('atlas_bot_login', 'atlas_worker_login') order by random() limit 1) a`)
			if err == nil {
				s.shots.Add(tag.RowsAffected())
			}
			<-ticker.C
		}
	}()
	s.stop = sync.OnceFunc(func() { cancel(); <-done })
	b.Cleanup(s.stop)
	return s
}

// deadlocks is how many the database has broken. The sessions of bots and workers end first: a session reports its counts
// at the latest when it ends.
func (b *bundle) deadlocks() int {
	b.Helper()
	for _, pool := range append(b.bots, b.workers...) {
		pool.Reset()
	}
	b.until("all sessions have ended", `select count(*) = 0 from pg_stat_activity
		where datname = current_database() and usename in ('atlas_bot_login', 'atlas_worker_login')`)
	return b.owner.Value("select deadlocks from pg_stat_database where datname = current_database()").(int)
}

// holdUp keeps a user locked until the function is called.
func (b *bundle) holdUp(user int) func() {
	b.Helper()
	tx, err := b.harness.DBA.Begin(context.Background())
	require.NoError(b, err)
	b.On(b, tx).One("account.set_language", A{"p_telegram_id": user, "p_language": "en"})
	return sync.OnceFunc(func() { require.NoError(b, tx.Commit(context.Background())) })
}

func TestA1DoubleTapWithLostAnswers(t *testing.T) { doubleTapLost(setup(t)) }

// doubleTapLost is A1 where a fifth of the answers is lost.
func doubleTapLost(b *bundle) {
	user := b.customers(1, desk.Basic1*3/2)[0]
	bots, lost := b.lossyPools(harness.BotLogin, 0.2)
	opened := b.sameAnswer(b.insist(times(50, bots, "billing.open_purchase", desk.Choice(user, "basic", 1, "k"))...))
	paid := b.sameAnswer(b.insist(times(50, bots, "billing.pay_from_balance", desk.Mine(user, opened["purchase_id"]))...))
	require.Positive(b, lost(), "nothing was lost: this proves nothing")
	require.Equal(b, desk.Basic1/2, paid["available_kopecks"])
	require.Equal(b, desk.Basic1/2, b.Available(user))
	require.Equal(b, b.Ends(user), paid["subscription_expires_at"])
	require.Equal(b, 1, b.count("billing.purchase"))
	require.Equal(b, 1, b.count("ledger.transfer where reason = 'purchase'"))
	require.Equal(b, 1, b.count("outbox.task where kind = 'provision'"))
}

func TestA3RenewalInAStorm(t *testing.T) { renewalInAStorm(setup(t)) }

// renewalInAStorm lets a user pay and three workers renew the same subscription at random moments while sessions are shot.
func renewalInAStorm(b *bundle) {
	users := b.subscribers(10, 2)
	end := b.Ends(users[0])
	before := b.deadlocks()
	calls := []call{}
	for i, user := range users {
		calls = append(calls, call{b.bots[i%2], "billing.pay_from_balance", desk.Mine(user, b.Open(user, "basic", 1, "k"))})
		for j := range 3 {
			calls = append(calls, call{b.workers[j%2], "subscription.renew_due", renewDue.With("p_limit", 1+b.random.IntN(len(users)))})
		}
	}
	offsets := map[int]time.Duration{}
	for i := range calls {
		offsets[i] = time.Duration(b.random.Int64N(int64(50 * time.Millisecond)))
	}
	release := b.holdUp(users[0]) // so that somebody is there to be shot
	storm := b.shoot(100)
	go func() {
		ticker := time.NewTicker(poll)
		defer ticker.Stop()
		for deadline := time.Now().Add(patience / 2); storm.shots.Load() < 5 && time.Now().Before(deadline); {
			<-ticker.C
		}
		release()
	}()
	next := atomic.Int64{}
	answers := b.start(calls, func(c call) answer {
		<-time.After(offsets[int(next.Add(1)-1)])
		for {
			rows, err := b.On(b, c.pool).Try(c.function, c.args)
			if isDefinite(err) {
				return answer{c, rows, err}
			}
		}
	})
	storm.stop()
	for _, a := range answers {
		require.NoError(b, a.err)
	}
	b.Logf("%d sessions were shot", storm.shots.Load())
	require.Positive(b, storm.shots.Load())
	require.Equal(b, before, b.deadlocks())
	for b.One("subscription.renew_due", renewDue)["renewed"].(int) > 0 {
	}
	for _, user := range users {
		now := b.charged(user)
		require.Contains(b, []any{0, 1}, now["renewals"])
		require.Equal(b, 2+now["renewals"].(int), now["purchases"])
		require.Equal(b, now["purchases"], now["charges"])
		require.Equal(b, end.AddDate(0, now["purchases"].(int)-1, 0), b.Ends(user), "no period is free, none is lost")
		require.Equal(b, (3-now["charges"].(int))*desk.Basic1, b.Available(user))
	}
}
