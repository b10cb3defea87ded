package system

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"atlas-secure/internal/sandbox/panel"
)

// The panel's sessions: few, and none that waits long. They are the owner's, for the clock; what reads is read only.
const (
	panelSessions = 4
	readingTime   = 5 * time.Second
)

func openPanelPool(ctx context.Context, dsn string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("the panel's sessions: %w", err)
	}
	config.MaxConns = panelSessions
	config.ConnConfig.RuntimeParams["application_name"] = "atlas-sandbox panel"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("the panel's sessions: %w", err)
	}
	return pool, nil
}

// reading collects the rows of a query that only reads. Without an answer from the database it is panel.ErrAway.
func reading[T any](ctx context.Context, pool *pgxpool.Pool, query string, args ...any) (rows []T, err error) {
	ctx, cancel := context.WithTimeout(ctx, readingTime)
	defer cancel()
	err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		found, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err //nolint:wrapcheck // below
		}
		rows, err = pgx.CollectRows(found, pgx.RowToStructByPos[T])
		return err //nolint:wrapcheck // below
	})
	if err == nil && rows == nil {
		rows = []T{}
	}
	return rows, orAway(err)
}

// orAway keeps what the database said; whatever else went wrong means that it said nothing.
func orAway(err error) error {
	var said *pgconn.PgError
	var refused *panel.RefusedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused), errors.As(err, &said) && said.Severity != "FATAL":
		return err
	default:
		return panel.ErrAway
	}
}

const readBooks = `select r.check_name, r.subject, r.detail from ops.reconcile() r limit 100`

const readLedger = `
select t.transfer_id, t.created_at, t.telegram_id::bigint, t.version, t.debit_account::text, t.credit_account::text,
       t.reason::text, t.amount_kopecks::bigint, t.available_kopecks::bigint, t.held_kopecks::bigint, t.debt_kopecks::bigint,
       coalesce(case u.kind::text when 'subscription' then u.tariff || ', ' || u.months || case u.months when 1 then ' month' else ' months' end else u.kind::text end,
                t.note, '')
from (select l.* from ledger.transfer l order by l.created_at desc, l.transfer_id desc limit $1) t
left join billing.purchase u on u.telegram_id = t.telegram_id and u.purchase_id = t.purchase_id
order by t.created_at desc, t.transfer_id desc`

const readComponents = `
select c.name, c.status, c.since, coalesce(c.detail, '') from ops.component c
union all
select s.component, s.state, s.since, coalesce(s.detail, '') from ops.component_status s
where s.component in ('database', 'redis', 'telegram')`

const readQueues = `
select t.kind::text, t.name, count(*) filter (where t.due_at <= c.at and t.leased_until is null),
       count(*) filter (where t.leased_until is not null), count(*) filter (where t.due_at > c.at and t.leased_until is null),
       max(t.attempt)::bigint, min(t.due_at), coalesce(max(t.last_error), '')
from outbox.task t cross join (select core.now() as at) c
where t.finished_at is null
group by t.kind, t.name
order by t.kind, t.name`

const readJobs = `
select j.name, j.schedule, j.is_enabled, j.last_finished_at, j.last_items::bigint, j.consecutive_failures::bigint,
       coalesce(j.last_error, '')
from ops.job j order by j.name`

const readDeadLetters = `
select d.job_name, d.subject, d.error, d.died_at from ops.dead_letter d order by d.died_at desc, d.dead_id desc limit 50`
