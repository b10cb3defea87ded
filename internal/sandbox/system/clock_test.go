package system

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/panel"
	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	day  = 24 * time.Hour
	anna = 1001
)

// aged notes by how much Redis was made older.
type aged struct{ by atomic.Int64 }

func (a *aged) Age(_ context.Context, by time.Duration) error {
	a.by.Add(int64(by))
	return nil
}

// clockBundle is a database with a customer on a trial, and its clock.
type clockBundle struct {
	*desk.Desk
	ctx      context.Context
	db       *harness.Bundle
	redis    *aged
	clock    *clock
	isWorked atomic.Bool
}

func setupClock(t *testing.T) *clockBundle {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	db := harness.New(t)
	b := &clockBundle{Desk: &desk.Desk{TB: t, Conn: db.Owner}, ctx: ctx, db: db, redis: &aged{}}
	b.clock = b.open(db.Pool(t, harness.MigratorLogin))
	b.Shop()
	b.One("subscription.start_trial", desk.A{"p_telegram_id": anna, "p_idempotency_key": "trial"})
	return b
}

func (b *clockBundle) open(pool *pgxpool.Pool) *clock {
	c := &clock{pool: pool, redis: b.redis, isWorked: b.isWorked.Load}
	require.NoError(b, c.read(b.ctx))
	return c
}

func (b *clockBundle) now() time.Time {
	b.Helper()
	return b.Value("select core.now()").(time.Time)
}

// work does what falls due, as a worker does, until the test ends.
func (b *clockBundle) work(reminders *atomic.Int64) {
	ctx, cancel := context.WithCancel(b.ctx)
	done := make(chan struct{})
	b.Cleanup(func() { cancel(); <-done })
	b.isWorked.Store(true)
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			for _, call := range []string{
				"select * from notify.enqueue_due(null, 100)", "select * from subscription.expire_due(null, 100)",
				"select * from subscription.renew_due(null, 100)", "select * from billing.expire_due(null, 100)",
			} {
				if rows, err := b.TryQuery(call); err == nil && len(rows) == 1 && rows[0]["enqueued"] != nil {
					reminders.Add(int64(rows[0]["enqueued"].(int)))
				}
			}
			_, _ = b.TryQuery("update outbox.task set finished_at = core.now(), outcome = 'done' where finished_at is null")
			time.Sleep(5 * time.Millisecond)
		}
	}()
}

func TestClockOfTheDatabaseMovesAndNothingElseChanges(t *testing.T) {
	b := setupClock(t)
	const described = `select pg_get_userbyid(p.proowner) as owner, p.proacl::text as grants, p.provolatile::text as kind,
		obj_description(p.oid) as comment, p.prosecdef as definer, p.proconfig::text as settings
		from pg_proc p where p.oid = 'core.now'::regproc`
	before := b.Query(described)
	b.Query("update ops.scheduled_job set next_run_at = core.now() + interval '5 days' where name = 'ops.purge_due'")

	move, err := b.clock.advance(b.ctx, 4*day)
	require.NoError(t, err)
	require.True(t, move.HasJumped)
	require.Equal(t, "no worker is at work", move.Why)
	require.EqualValues(t, 4*24*3600, move.AheadSeconds)
	require.Nil(t, move.MovingTo)
	require.WithinDuration(t, time.Now().Add(4*day), b.now(), time.Minute)
	require.WithinDuration(t, b.now(), b.clock.Now(), time.Minute)
	require.Equal(t, before, b.Query(described))
	require.Equal(t, 4*day, time.Duration(b.redis.by.Load()))
	require.WithinDuration(t, time.Now().Add(day),
		b.Value("select next_run_at from ops.scheduled_job where name = 'ops.purge_due'").(time.Time), time.Minute,
		"by this machine's clock, which the worker keeps")

	again := b.open(b.clock.pool)
	require.EqualValues(t, 4*24*3600, again.view().AheadSeconds, "the function keeps it over a restart")
	_, err = again.advance(b.ctx, time.Hour)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(4*day+time.Hour), b.now(), time.Minute)
}

func TestOnlyTheOwnerMovesTheClock(t *testing.T) {
	b := setupClock(t)
	for _, role := range []harness.Role{harness.BotLogin, harness.WorkerLogin, harness.AuditorLogin, harness.DBALogin} {
		c := &clock{pool: b.db.Pool(t, role), redis: b.redis, isWorked: b.isWorked.Load}
		_, err := c.advance(b.ctx, time.Hour)
		require.Error(t, err, role)
	}
	require.WithinDuration(t, time.Now(), b.now(), time.Minute)
}

func TestClockStopsWhereSomethingFallsDue(t *testing.T) {
	b := setupClock(t)
	var reminders atomic.Int64
	b.work(&reminders)
	move, err := b.clock.advance(b.ctx, 4*day)
	require.NoError(t, err)
	require.False(t, move.HasJumped, move.Why)
	require.EqualValues(t, 3, reminders.Load(), "after 6 and 48 hours, and 6 hours before the end")
	require.GreaterOrEqual(t, move.Stops, 4)
	require.Equal(t, "expired", b.One("subscription.current", desk.A{"p_telegram_id": anna})["status"])
}

// A run that was under way when the clock was moved puts the next one off as it ends: what waits does not wait for that.
func TestRunsUnderWayPutNothingOff(t *testing.T) {
	b := setupClock(t)
	const putOff = `update ops.scheduled_job set next_run_at = core.now() + interval '20 seconds' where name = 'notify.enqueue_due'`
	const isPutOff = "select next_run_at is not null from ops.scheduled_job where name = 'notify.enqueue_due'"
	for range 2 {
		b.Query(putOff)
		isSettled, err := b.clock.isSettled(b.ctx)
		require.NoError(t, err)
		require.False(t, isSettled, "a key waits")
		require.Equal(t, false, b.Value(isPutOff))
	}
	b.One("notify.enqueue_due", desk.A{"p_epoch": nil, "p_limit": 100})
	b.Query("update outbox.task set finished_at = core.now(), outcome = 'done' where finished_at is null")
	b.Query(putOff)
	isSettled, err := b.clock.isSettled(b.ctx)
	require.NoError(t, err)
	require.True(t, isSettled)
	require.Equal(t, true, b.Value(isPutOff), "nobody is hurried for nothing")
}

func TestDaysOffAreOneJump(t *testing.T) {
	b := setupClock(t)
	_, err := b.clock.advance(b.ctx, 4*day)
	require.NoError(t, err)
	var reminders atomic.Int64
	b.work(&reminders)
	move, err := b.clock.advance(b.ctx, time.Minute)
	require.NoError(t, err)
	require.False(t, move.HasJumped)
	require.Zero(t, reminders.Load(), "late ones are dropped")
	require.Equal(t, "expired", b.One("subscription.current", desk.A{"p_telegram_id": anna})["status"])
}

// What somebody has in hand while the clock is moved stays theirs.
func TestLeasesInForceStayInForce(t *testing.T) {
	b := setupClock(t)
	claimed := b.One("vpn.claim_jobs", desk.ClaimArgs("w", 10))
	lease := b.One("ops.acquire_lease", desk.A{"p_name": "x", "p_holder": "w", "p_ttl": "30 seconds"})
	b.One("ops.acquire_lease", desk.A{"p_name": "past", "p_holder": "w", "p_ttl": "30 seconds"})
	b.Query("update ops.lease set expires_at = core.now() - interval '1 second' where name = 'past'")
	b.isWorked.Store(true)
	require.NoError(t, b.clock.jump(b.ctx, 4*day))
	require.Equal(t, true, b.Value("select leased_until > core.now() from outbox.task where task_id = $1", claimed["job_id"]))
	require.Equal(t, lease["epoch"],
		b.One("ops.acquire_lease", desk.A{"p_name": "x", "p_holder": "w", "p_ttl": "30 seconds"})["epoch"], "no new leadership")
	require.NotNil(t, b.One("ops.acquire_lease", desk.A{"p_name": "past", "p_holder": "other", "p_ttl": "30 seconds"})["epoch"],
		"what had run out has run out")
	b.One("vpn.complete_job", desk.A{"p_job_id": claimed["job_id"], "p_lease_token": claimed["lease_token"],
		"p_key_uri": "vless://x", "p_node": nil})

	b.isWorked.Store(false)
	require.NoError(t, b.clock.jump(b.ctx, day))
	require.NotNil(t, b.One("ops.acquire_lease", desk.A{"p_name": "x", "p_holder": "other", "p_ttl": "30 seconds"})["epoch"],
		"over days off leases run out")
}

func TestTwoDoNotMoveTheClock(t *testing.T) {
	b := setupClock(t)
	b.clock.turn.Lock()
	defer b.clock.turn.Unlock()
	_, err := b.clock.advance(b.ctx, time.Hour)
	var refused *panel.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, 409, refused.Status)
}
