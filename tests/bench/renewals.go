package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/tests/bench/crowd"
	"atlas-secure/tests/bench/result"
	"atlas-secure/tests/bench/rig"
)

// targetRenewals is how many per second are aimed at.
const targetRenewals = 10_000

// renewals is case 6: subscriptions that are due for automatic renewal, worked off as a worker does it, in a database of
// their own.
func (b *bench) renewals() group {
	db := &rig.Database{}
	return group{
		number: "6", title: "Automatic renewals",
		subjects: []subject{
			b.tpcb("tpcb-beside-renewals", b.many()),
			{"renew", fmt.Sprintf("renew_due, %d due", b.due), 1, func(ctx context.Context, _ int) (rig.Sample, error) {
				return b.renew(ctx, db)
			}},
		},
		ratios: []result.Ratio{{Key: "renew", Title: "renewals / tpcb-like, 32 clients", Of: "renew", To: "tpcb-beside-renewals"}},
		setup: func(ctx context.Context) error {
			b.say("filling: %d subscriptions to renew", b.due)
			conn, err := b.server.Connect(ctx, rig.Superuser, rig.Renewals)
			if err != nil {
				return err
			}
			b.keep = append(b.keep, func() error { return conn.Close(context.WithoutCancel(ctx)) })
			db.Control = conn
			if err := crowd.Fill(ctx, db, b.due, "interval '4 hours'", true); err != nil {
				return err
			}
			b.books = append(b.books, conn)
			b.result.Figure("renew").Target = targetRenewals
			return db.Exec(ctx, "vacuum (analyze)")
		},
	}
}

// renew works off all subscriptions, once per round: the clock is moved to shortly before their end.
func (b *bench) renew(ctx context.Context, db *rig.Database) (rig.Sample, error) {
	const moveClock = `
do $$
declare
  v_later interval := (select min(s.expires_at) - interval '4 hours' from subscription.subscription s) - clock_timestamp();
begin
  execute format('create or replace function core.now() returns timestamptz language sql volatile as '
                 '$now$ select clock_timestamp() + interval %L $now$', v_later::text);
end
$$`
	if err := db.Exec(ctx, "vacuum (analyze)", moveClock); err != nil {
		return rig.Sample{}, err
	}
	worker, err := b.server.Connect(ctx, rig.WorkerLogin, rig.Renewals)
	if err != nil {
		return rig.Sample{}, err
	}
	defer func() { _ = worker.Close(ctx) }()
	return b.workOff(ctx, worker)
}

// workOff calls renew_due under a lease until nothing is due, in batches of the size that the worker takes.
func (b *bench) workOff(ctx context.Context, worker *pgx.Conn) (rig.Sample, error) {
	const name = "subscription.renew_due"
	var epoch int64
	err := worker.QueryRow(ctx, "select epoch from ops.acquire_lease($1, $2, interval '1 hour')", name, fmt.Sprint(os.Getpid())).Scan(&epoch)
	if err != nil {
		return rig.Sample{}, fmt.Errorf("take the lease: %w", err)
	}
	var batch int
	if err := b.server.Control.QueryRow(ctx, "select batch_size from ops.job where name = $1", name).Scan(&batch); err != nil {
		return rig.Sample{}, fmt.Errorf("read the batch's size: %w", err)
	}
	meter, err := b.server.Meter(ctx, worker)
	if err != nil {
		return rig.Sample{}, err
	}
	started, sum, calls := time.Now(), 0, 0
	for {
		var renewed, declined int
		err := worker.QueryRow(ctx, "select renewed, declined from subscription.renew_due($1, $2)", epoch, batch).Scan(&renewed, &declined)
		if err != nil {
			return rig.Sample{}, fmt.Errorf("renew: %w", err)
		}
		if renewed == 0 {
			break
		}
		sum, calls = sum+renewed, calls+1
	}
	took := time.Since(started)
	if sum != b.due {
		return rig.Sample{}, fmt.Errorf("%d of %d subscriptions were renewed", sum, b.due)
	}
	figures, err := meter.Stop(ctx)
	if err != nil {
		return rig.Sample{}, err
	}
	return figures(float64(sum), took, took/time.Duration(calls)), nil
}
