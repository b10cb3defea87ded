// Package race_test lets calls of the SQL contract run against each other on a real database: double taps, duplicate
// events, expiry against payment, workers against workers. Tests bear the scenario's id. Nothing sleeps: where an
// exact order matters, a test waits until the other session waits for a lock.
package race_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

type (
	// A holds arguments by parameter name.
	A = desk.A
	// Row is one row of an answer.
	Row = desk.Row
)

const (
	boss = desk.Boss
	anna = desk.Anna
	bert = desk.Bert

	patience = 3 * time.Minute
	poll     = 2 * time.Millisecond
)

// bundle is a database of its own: the embedded desk is a DBA's, owner is the owner's, and two bots and two workers
// have pools like two processes of each.
type bundle struct {
	*desk.Desk
	owner   *desk.Desk
	harness *harness.Bundle
	super   *pgx.Conn
	bots    []*pgxpool.Pool
	workers []*pgxpool.Pool
	random  *rand.Rand
	// tolerated is the one check of ops.reconcile that the test breaks on purpose.
	tolerated string
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	h := harness.New(t)
	super, err := pgx.Connect(context.Background(), h.DSN(harness.Superuser))
	require.NoError(t, err)
	t.Cleanup(func() { _ = super.Close(context.Background()) })
	beInNoHurry(t, super, h.Database)
	seed := harness.Seed(t)
	b := &bundle{
		Desk:    &desk.Desk{TB: t, Conn: h.DBA},
		owner:   &desk.Desk{TB: t, Conn: h.Owner},
		harness: h,
		super:   super,
		bots:    []*pgxpool.Pool{h.Pool(t, harness.BotLogin), h.Pool(t, harness.BotLogin)},
		workers: []*pgxpool.Pool{h.Pool(t, harness.WorkerLogin), h.Pool(t, harness.WorkerLogin)},
		random:  rand.New(rand.NewPCG(seed, seed)),
	}
	b.Shop()
	return b
}

// beInNoHurry lifts the logins' time limits in the test's database. Fifty calls in a row for one lock take long on a busy
// machine, and a call that gave up would prove nothing.
func beInNoHurry(t *testing.T, super *pgx.Conn, database string) {
	t.Helper()
	for _, login := range []harness.Role{harness.BotLogin, harness.WorkerLogin} {
		for _, limit := range []string{"lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"} {
			_, err := super.Exec(context.Background(), fmt.Sprintf("alter role %s in database %s set %s = 0", login, database, limit))
			require.NoError(t, err)
		}
	}
}

// impatient is a worker that gives up at once where it would have to wait for a lock.
func (b *bundle) impatient() *desk.Desk {
	b.Helper()
	pool := b.harness.Pool(b, harness.Worker)
	_, err := pool.Exec(context.Background(), fmt.Sprintf("alter role current_user in database %s set lock_timeout = '500ms'",
		b.harness.Database))
	require.NoError(b, err)
	pool.Reset() // who connects from here on has it
	return b.On(b, pool)
}

// call is one function call by one process.
type call struct {
	pool     *pgxpool.Pool
	function string
	args     A
}

// answer is what came of a call.
type answer struct {
	call
	rows []Row
	err  error
}

func (a answer) code() string { return desk.Code(a.err) }

// rush starts all calls at once, in random order, and waits for their answers, given in the order of the calls.
func (b *bundle) rush(calls ...call) []answer {
	b.Helper()
	answers := b.rushRetried(calls...)
	for _, a := range answers {
		require.NotContains(b, []string{"40P01", "40001", "55P03"}, a.code(), "%s %v", a.function, a.args)
	}
	return answers
}

// rushRetried is rush where the caller tries again what the database asks to be tried again.
func (b *bundle) rushRetried(calls ...call) []answer {
	b.Helper()
	return b.start(calls, func(c call) answer {
		rows, err := b.On(b, c.pool).Try(c.function, c.args)
		return answer{c, rows, err}
	})
}

// start makes all calls at once, in random order, and waits for their answers, given in the order of the calls. Meanwhile
// somebody looks at the books.
func (b *bundle) start(calls []call, do func(c call) answer) []answer {
	b.Helper()
	stop := b.watch()
	answers := make([]answer, len(calls))
	start := make(chan struct{})
	var done sync.WaitGroup
	for _, i := range b.random.Perm(len(calls)) {
		done.Go(func() {
			<-start
			answers[i] = do(calls[i])
		})
	}
	close(start)
	done.Wait()
	stop()
	return answers
}

// times is the same call many times, by the pools in turn.
func times(n int, pools []*pgxpool.Pool, function string, args A) []call {
	calls := make([]call, n)
	for i := range calls {
		calls[i] = call{pools[i%len(pools)], function, args}
	}
	return calls
}

// firstAndReplays demands one first answer and otherwise replays of it, and gives it.
func (b *bundle) firstAndReplays(answers []answer) Row {
	b.Helper()
	var first Row
	for _, a := range answers {
		require.NoError(b, a.err)
		require.Len(b, a.rows, 1)
		if a.rows[0]["is_replay"] == false {
			require.Nil(b, first, "two first answers")
			first = a.rows[0]
		}
	}
	require.NotNil(b, first, "no first answer")
	for _, a := range answers {
		a.rows[0]["is_replay"] = false
		require.Equal(b, first, a.rows[0])
	}
	return first
}

// locked runs something while another session waits for this transaction's locks: hold takes them, waiting is called
// in a session of its own, and then, once that one waits, before is called and the transaction committed.
func (b *bundle) locked(conn *pgxpool.Pool, hold func(d *desk.Desk), waiting call, before func()) answer {
	b.Helper()
	return b.held(conn, hold, waiting, func(ctx context.Context, tx pgx.Tx) error {
		before()
		return tx.Commit(ctx)
	})
}

// held is locked with another end of the transaction.
func (b *bundle) held(
	conn *pgxpool.Pool, hold func(d *desk.Desk), waiting call, end func(ctx context.Context, tx pgx.Tx) error,
) answer {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tx, err := conn.Begin(ctx)
	require.NoError(b, err)
	defer func() { _ = tx.Rollback(ctx) }()
	hold(b.On(b, tx))

	answers := make(chan answer, 1)
	go func() {
		rows, err := b.On(b, waiting.pool).Try(waiting.function, waiting.args)
		answers <- answer{waiting, rows, err}
	}()
	b.eventually("a session waits for a lock", func() bool {
		return len(answers) > 0 || b.asks(ctx, `select exists (select from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock')`)
	})
	require.Empty(b, answers, "%s waits for nobody", waiting.function)
	require.NoError(b, end(ctx, tx))
	return <-answers
}

// until waits until a query gives true.
func (b *bundle) until(what, sql string, args ...any) {
	b.Helper()
	b.eventually(what, func() bool { return b.asks(context.Background(), sql, args...) })
}

// eventually waits until something is so.
func (b *bundle) eventually(what string, isSo func() bool) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for !isSo() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			require.NoError(b, errors.New("timed out"), what)
		}
	}
}

// asks is what a query answers that gives true or false.
func (b *bundle) asks(ctx context.Context, sql string, args ...any) (isTrue bool) {
	b.Helper()
	require.NoError(b, b.super.QueryRow(ctx, sql, args...).Scan(&isTrue))
	return isTrue
}

// count is the number of rows that a table expression has.
func (b *bundle) count(from string, args ...any) int {
	b.Helper()
	return b.owner.Value("select count(*) from "+from, args...).(int)
}

// customers registers n users with some money each and gives their ids.
func (b *bundle) customers(n, kopecks int) []int {
	b.Helper()
	ids := make([]int, n)
	for i := range ids {
		ids[i] = 3000 + i
		b.User(ids[i])
		if kopecks > 0 {
			b.Credit(ids[i], kopecks)
		}
	}
	return ids
}
