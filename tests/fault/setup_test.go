package fault_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
	"atlas-secure/tests/history"
	"atlas-secure/tests/load"
)

// patience is how long a whole scenario may take.
const patience = 5 * time.Minute

// bundle is a database of its own, used by a crowd while something goes wrong.
type bundle struct {
	*harness.Bundle
	*desk.Desk

	owner   *desk.Desk
	seed    uint64
	bots    *pgxpool.Pool // of the bot's login, without faults
	workers *pgxpool.Pool
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	return bundleOf(t, harness.New(t))
}

func bundleOf(t *testing.T, h *harness.Bundle) *bundle {
	t.Helper()
	return &bundle{
		Bundle: h, Desk: &desk.Desk{TB: t, Conn: h.DBA}, owner: &desk.Desk{TB: t, Conn: h.Owner}, seed: harness.Seed(t),
		bots: h.Pool(t, harness.BotLogin), workers: h.Pool(t, harness.WorkerLogin),
	}
}

// crowd opens a shop for so many clients and users, who do about so many operations through the pools given.
func (b *bundle) crowd(bots, workers history.Conn, clients, users, operations int) *load.Crowd {
	b.Helper()
	return load.Open(b, load.Options{
		Bot: bots, Worker: workers, DBA: b.DBA, Seed: b.seed, Clients: clients, Users: users, Operations: operations * load.Factor(b),
	})
}

// run lets the crowd loose while the faults last, and watches the books meanwhile. It gives the violations of the
// snapshots.
func (b *bundle) run(crowd *load.Crowd, faults ...func(ctx context.Context)) []history.Violation {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	watcher := history.Watch(ctx, b.Owner)
	wait := crowd.Start(ctx)
	stop := b.during(ctx, faults...)
	wait()
	stop()
	crowd.Drain(ctx)
	looks, wrong := watcher.Stop()
	b.Logf("%d snapshots; %s", looks, history.Summary(crowd.History().Ops()))
	return wrong
}

// during runs faults until stop is called, which waits for them.
func (b *bundle) during(ctx context.Context, faults ...func(ctx context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		done := make(chan struct{})
		for _, fault := range faults {
			go func() {
				defer func() { done <- struct{}{} }()
				fault(ctx)
			}()
		}
		for range faults {
			<-done
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// judge demands that the record is one of a shop that does everything once.
func (b *bundle) judge(h *history.History, further ...history.Violation) {
	b.Helper()
	history.Require(b, history.Books{Owner: b.Owner, Bot: b.bots, Worker: b.workers}, h, further...)
}

// super connects as the superuser, until the test ends.
func (b *bundle) super() *pgx.Conn {
	b.Helper()
	conn, err := pgx.Connect(context.Background(), b.DSN(harness.Superuser))
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// set gives a login a setting in this test's database. Sessions that are open keep theirs.
func (b *bundle) set(login harness.Role, name, value string) {
	b.Helper()
	_, err := b.super().Exec(context.Background(),
		fmt.Sprintf("alter role %s in database %s set %s = %s", login, b.Database, name, value))
	require.NoError(b, err)
}

// until waits until a query of the owner gives true.
func (b *bundle) until(what, sql string, args ...any) {
	b.Helper()
	require.Eventually(b, func() bool { return b.owner.Value(sql, args...).(bool) }, patience, 2*time.Millisecond, what)
}

// storm ends sessions of the bot's and the worker's logins, chosen at random, up to a hundred in a second; but no more than
// one for every four operations that the crowd begins, so that on a slow machine, too, the crowd gets somewhere. It counts.
func (b *bundle) storm(crowd *load.Crowd, ended *int) func(ctx context.Context) {
	b.Helper()
	super := b.super()
	return func(ctx context.Context) {
		for moreOperations(ctx, crowd, 4, 10*time.Millisecond) {
			tag, err := super.Exec(ctx, `select pg_terminate_backend(a.pid) from pg_stat_activity a
				where a.datname = current_database() and a.usename = any ($1) order by random() limit 1`,
				[]string{string(harness.BotLogin), string(harness.WorkerLogin)})
			if err == nil {
				*ended += int(tag.RowsAffected())
			}
		}
	}
}

// moreOperations looks now and then whether the crowd has begun n operations more; false if ctx ended before.
func moreOperations(ctx context.Context, crowd *load.Crowd, n int, now time.Duration) bool {
	ticker := time.NewTicker(now)
	defer ticker.Stop()
	for before := crowd.Operations(); ; {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
			if crowd.Operations() >= before+n {
				return true
			}
		}
	}
}

// unknowns counts the attempts whose outcome was not known.
func unknowns(ops []history.Op) (n int) {
	for _, op := range ops {
		n += op.Unknown
	}
	return n
}
