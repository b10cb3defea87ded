package system

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"atlas-secure/internal/sandbox/panel"
)

// clock is the sandbox's time: that of this machine, and as much ahead as the function core.now() of the sandbox's database
// says. The function is the only place that keeps it; there is nothing in a database that is not the sandbox's.
type clock struct {
	pool  *pgxpool.Pool // as the owner
	redis redisAger
	// isWorked says whether anybody does what falls due.
	isWorked func() bool

	ahead atomic.Int64 // seconds
	turn  sync.Mutex   // of the one who moves it

	mu       sync.Mutex
	movingTo *time.Time
}

// redisAger makes what Redis holds older.
type redisAger interface {
	Age(ctx context.Context, by time.Duration) error
}

const (
	// maxStops is at how many moments one move waits.
	maxStops = 200
	// settleTime is how long the worker may take at each; then the rest of the way is one jump.
	settleTime = 20 * time.Second
	settlePoll = 100 * time.Millisecond
	// margin is how far behind the moment at which something falls due the clock stops: what falls due shortly after it is
	// done at the same stop.
	margin = 30 * time.Second
)

// Now is the time in the sandbox.
func (c *clock) Now() time.Time {
	return time.Now().Add(time.Duration(c.ahead.Load()) * time.Second)
}

func (c *clock) view() panel.Clock {
	c.mu.Lock()
	defer c.mu.Unlock()
	return panel.Clock{Now: c.Now().UTC(), AheadSeconds: c.ahead.Load(), MovingTo: c.movingTo}
}

// read takes over what the database says: another run may have moved it.
func (c *clock) read(ctx context.Context) error {
	var ahead int64
	err := c.pool.QueryRow(ctx, "select round(extract(epoch from core.now() - clock_timestamp()))::bigint").Scan(&ahead)
	if err != nil {
		return fmt.Errorf("reading the clock: %w", err)
	}
	c.ahead.Store(ahead)
	return nil
}

// advance moves the clock on and stops wherever something falls due, until it is done.
func (c *clock) advance(ctx context.Context, by time.Duration) (move panel.Move, err error) {
	if !c.turn.TryLock() {
		return move, panel.Refuse(http.StatusConflict, "the clock is being moved already")
	}
	defer c.turn.Unlock()
	end := c.Now().Add(by)
	c.setGoal(&end)
	defer func() {
		c.setGoal(nil)
		move.Clock = c.view()
	}()
	for c.Now().Before(end) {
		if move.Why, err = c.whyJump(ctx, move.Stops); err != nil {
			return move, err
		}
		if move.Why != "" {
			move.HasJumped = true
			return move, c.jump(ctx, end.Sub(c.Now()))
		}
		next, err := c.nextStop(ctx, end)
		if err != nil {
			return move, err
		}
		if err := c.jump(ctx, next.Sub(c.Now())); err != nil {
			return move, err
		}
		if next.Before(end) {
			move.Stops++
		}
	}
	_, err = c.settle(ctx)
	return move, err
}

func (c *clock) setGoal(at *time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.movingTo = at
}

// whyJump waits until all is done that is due now. It says why the rest of the way is one jump, or nothing.
func (c *clock) whyJump(ctx context.Context, stops int) (string, error) {
	if !c.isWorked() {
		return "no worker is at work", nil
	}
	isSettled, err := c.settle(ctx)
	switch {
	case err != nil:
		return "", err
	case !isSettled:
		return "the worker did not do what was due", nil
	case stops >= maxStops:
		return fmt.Sprintf("more than %d moments at which something is due", maxStops), nil
	default:
		return "", nil
	}
}

// nextStop is the next moment at which something falls due, or the end.
func (c *clock) nextStop(ctx context.Context, end time.Time) (time.Time, error) {
	var due *time.Time
	if err := c.pool.QueryRow(ctx, nextDue).Scan(&due); err != nil {
		return end, fmt.Errorf("looking for what falls due: %w", err)
	}
	if due == nil || due.Add(margin).After(end) {
		return end, nil
	}
	return due.Add(margin), nil
}

// nextDue is when something falls due next.
const nextDue = `select min(t.at) from (
	select min(s.expiry_check_at) as at from subscription.subscription s where s.expiry_check_at > core.now()
	union all
	select min(s.renew_check_at) from subscription.subscription s where s.renew_check_at > core.now()
	union all
	select min(s.reminder_check_at) from subscription.subscription s where s.reminder_check_at > core.now()
	union all
	select min(u.expiry_check_at) from billing.purchase u where u.expiry_check_at > core.now()) t`

// settle waits until what is due is done; false when that takes too long.
func (c *clock) settle(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	ticker := time.NewTicker(settlePoll)
	defer ticker.Stop()
	for {
		isSettled, err := c.isSettled(ctx)
		switch {
		case ctx.Err() != nil:
			return false, nil // too long
		case err != nil || isSettled:
			return isSettled, err
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-ticker.C:
		}
	}
}

// isSettled looks whether all is done, and hurries whoever does it: they need not wait for the next round. Each time, for a
// run that began before the clock was moved puts the next one off when it ends.
func (c *clock) isSettled(ctx context.Context) (bool, error) {
	var waits bool
	if err := c.pool.QueryRow(ctx, isSomethingDue).Scan(&waits); err != nil {
		return false, fmt.Errorf("looking whether all is done: %w", err)
	}
	if !waits {
		return true, nil
	}
	if _, err := c.pool.Exec(ctx, hurry); err != nil {
		return false, fmt.Errorf("hurrying the worker: %w", err)
	}
	return false, nil
}

const hurry = `update ops.scheduled_job set next_run_at = null where schedule like '% seconds' and next_run_at is not null`

// isSomethingDue looks at what settle waits for. A task that was tried before is not waited for: whom it needs is down.
const isSomethingDue = `select
	exists (select from subscription.subscription s where s.expiry_check_at <= core.now())
	or exists (select from subscription.subscription s where s.renew_check_at <= core.now())
	or exists (select from subscription.subscription s where s.reminder_check_at <= core.now())
	or exists (select from billing.purchase u where u.expiry_check_at <= core.now())
	or exists (select from outbox.task t where t.finished_at is null and t.last_error is null
		and (t.due_at <= core.now() or t.leased_until is not null))`

// jump moves the clock on at once: the database's, and by as much what others keep by this machine's.
func (c *clock) jump(ctx context.Context, by time.Duration) error {
	by = (by + time.Second - 1).Truncate(time.Second)
	if by <= 0 {
		return nil
	}
	ahead := c.ahead.Load() + int64(by/time.Second)
	for attempt := 1; ; attempt++ {
		err := c.replace(ctx, ahead, by)
		if err == nil {
			break
		}
		if !isWorthRepeating(err) || attempt == maxAttempts {
			return fmt.Errorf("moving the clock: %w", err)
		}
	}
	c.ahead.Store(ahead)
	// What was leased by the old clock while it was replaced was not to be seen then.
	if err := c.keepLeases(ctx, c.pool, by); err != nil {
		return err
	}
	if err := c.redis.Age(ctx, by); err != nil {
		return nil //nolint:nilerr // it is away, and forgets more than this anyway
	}
	return nil
}

const maxAttempts = 5

// isWorthRepeating is true where others were in the way.
func isWorthRepeating(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && slices.Contains([]string{"40001", "40P01", "55P03", "XX000"}, refused.Code)
}

// replace moves the database's clock. Whoever works goes on working through it: what they keep by this machine's clock is
// moved along, else every lease would have run out, a message that is being sent would count as lost, and the worker as
// silent for days.
func (c *clock) replace(ctx context.Context, ahead int64, by time.Duration) error {
	isWorked := c.isWorked()
	return pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error { //nolint:wrapcheck // the caller says what was done
		// Leases first, as everybody does.
		if isWorked {
			_, err := tx.Exec(ctx, "update ops.lease set expires_at = expires_at + $1 where expires_at > core.now()", by)
			if err != nil {
				return err //nolint:wrapcheck // "
			}
		}
		// The worker paces jobs by this machine's clock.
		statements := []string{"update ops.scheduled_job set next_run_at = next_run_at - $1::interval"}
		if isWorked {
			statements = append(statements,
				"update ops.scheduled_job set last_finished_at = last_finished_at + $1::interval",
				"update ops.dependency set reported_at = reported_at + $1::interval")
		}
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement, by); err != nil {
				return err //nolint:wrapcheck // "
			}
		}
		if _, err := tx.Exec(ctx, fmt.Sprintf(clockBody, ahead)); err != nil {
			return err //nolint:wrapcheck // "
		}
		return c.keepLeases(ctx, tx, by)
	})
}

// keepLeases moves the leases that were in force before the clock was moved.
func (c *clock) keepLeases(ctx context.Context, where interface {
	Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error)
}, by time.Duration,
) error {
	if !c.isWorked() {
		return nil
	}
	for _, table := range []string{"outbox.task", "inbox.update", "broadcast.recipient"} {
		_, err := where.Exec(ctx, "update "+table+" set leased_until = leased_until + $1::interval"+
			" where finished_at is null and leased_until <= core.now() and leased_until > core.now() - $1::interval", by)
		if err != nil {
			return fmt.Errorf("keeping leases: %w", err)
		}
	}
	return nil
}

// clockBody is core.now() of a database that is ahead. Everything else of the function stays: owner, grants, comment.
const clockBody = `create or replace function core.now() returns timestamptz language sql volatile as
$$ select clock_timestamp() + interval '%d seconds' $$`
