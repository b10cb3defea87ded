package history

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// grace is how long sessions may take to end after the last client has gone, and how often they are looked at.
const (
	grace     = 15 * time.Second
	gracePoll = 20 * time.Millisecond
)

// NothingLeft demands that nobody waits for a lock, that no transaction is left open, that no job or message is held by
// a lease that has run out, and that batches gave nothing up. It gives sessions that are just ending a moment.
func NothingLeft(ctx context.Context, owner Beginner) ([]Violation, error) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	ticker := time.NewTicker(gracePoll)
	defer ticker.Stop()
	var left []Violation
	for {
		found, err := collect(ctx, owner, leftSQL)
		switch {
		case err != nil && ctx.Err() != nil && len(left) > 0:
			return left, nil
		case err != nil || len(found) == 0:
			return found, err
		}
		left = found
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return left, nil
		}
	}
}

const leftSQL = `
select 'nothing_left', coalesce(a.usename, '?') || ' ' || a.pid,
       format('%s, %s, %s', a.state, a.wait_event_type, left(a.query, 80))
from pg_stat_activity a
where a.datname = current_database() and a.pid <> pg_backend_pid()
  and (a.wait_event_type = 'Lock' or a.state like 'idle in transaction%')
union all
select 'nothing_left', t.kind || ' ' || t.task_id, format('leased by %s until %s', t.holder, t.leased_until)
from outbox.task t
where t.finished_at is null and t.leased_until < clock_timestamp()
union all
select 'nothing_left', d.job_name || ' ' || d.subject, d.error
from ops.dead d
where d.job_name like '%\_due'`

// collect runs a query whose rows are violations, in one snapshot.
func collect(ctx context.Context, owner Beginner, queries ...string) (violations []Violation, err error) {
	tx, err := owner.BeginTx(ctx, oneMoment)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	for _, sql := range queries {
		rows, err := tx.Query(ctx, sql)
		if err != nil {
			return nil, err
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Violation])
		if err != nil {
			return nil, err
		}
		violations = append(violations, found...)
	}
	return violations, tx.Commit(ctx)
}

// Reconciled gives what ops.reconcile() finds wrong.
func Reconciled(ctx context.Context, owner Beginner) ([]Violation, error) {
	return collect(ctx, owner, reconcileSQL)
}

const reconcileSQL = `select 'reconcile: ' || check_name, subject, detail from ops.reconcile()`

// Deadlocks is how many deadlocks this database has had. The server counts them with a delay of up to a second.
func Deadlocks(ctx context.Context, conn Conn) (int64, error) {
	rows, err := conn.Query(ctx, `select deadlocks from pg_stat_database where datname = current_database()`)
	if err != nil {
		return 0, fmt.Errorf("deadlocks: %w", err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
}

// SameDeadlocks demands that there were no deadlocks since a count.
func SameDeadlocks(before, after int64) []Violation {
	if before == after {
		return nil
	}
	return []Violation{{"no_deadlock", "the database", fmt.Sprintf("%d deadlocks", after-before)}}
}
