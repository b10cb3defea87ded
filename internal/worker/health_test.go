package worker_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/worker"
)

// reports keeps what the health job reports, and says of everything that it has changed.
type reports struct {
	seen []sqlapi.ComponentReport
	err  error
}

func (r *reports) ReportComponent(_ context.Context, report sqlapi.ComponentReport) (bool, error) {
	r.seen = append(r.seen, report)
	return true, r.err
}

func batchOf(isStopping bool) worker.Batch {
	epoch := int64(7)
	return worker.Batch{Holder: "w", Epoch: &epoch, Limit: 100, IsStopping: func() bool { return isStopping }}
}

func TestCheckHealthAsksAllAtOnceAndWaitsForNoneTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		books := &reports{}
		hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		job := worker.CheckHealth(books, obs.Discard(),
			obs.Check{Name: "redis", Probe: hangs}, obs.Check{Name: "vpn", Probe: hangs},
			obs.Check{Name: "telegram", Probe: func(context.Context) error { return nil }})
		start := time.Now()
		changed, err := job(t.Context(), batchOf(false))
		require.NoError(t, err)
		require.Equal(t, 3, changed)
		require.Equal(t, 5*time.Second, time.Since(start), "together, not one after the other")
		epoch := batchOf(false).Epoch
		require.Equal(t, []sqlapi.ComponentReport{
			{Component: "redis", Detail: "context deadline exceeded", Instance: "w", Epoch: epoch},
			{Component: "vpn", Detail: "context deadline exceeded", Instance: "w", Epoch: epoch},
			{Component: "telegram", IsUp: true, Instance: "w", Epoch: epoch},
		}, books.seen)
	})
}

func TestCheckHealthOfAWorkerThatStops(t *testing.T) {
	t.Parallel()
	books := &reports{}
	job := worker.CheckHealth(books, obs.Discard(), obs.Check{Name: "redis", Probe: func(context.Context) error { return context.Canceled }})
	_, err := job(t.Context(), batchOf(true))
	require.NoError(t, err)
	require.Empty(t, books.seen, "what was cut short says nothing")

	books.err = errors.New("no database")
	_, err = job(t.Context(), batchOf(false))
	require.ErrorIs(t, err, books.err)
}

// TestManyWorkersTellOnce has several workers watch something that goes away and comes back: the admin gets one message
// of each.
func TestManyWorkersTellOnce(t *testing.T) {
	t.Parallel()
	s := setupSystem(t)
	_, err := s.Owner.Exec(t.Context(), `update ops.setting set value = 0 where name = 'component_patience_seconds'`)
	require.NoError(t, err)
	_, err = s.Owner.Exec(t.Context(), `update ops.scheduled_job set schedule = '1 seconds', is_enabled = name = 'ops.check_health'`)
	require.NoError(t, err)
	var isAway atomic.Bool
	var looks atomic.Int64
	check := obs.Check{Name: "redis", Probe: func(context.Context) error {
		looks.Add(1)
		if isAway.Load() {
			return errors.New("no answer from redis://:canary@127.0.0.1")
		}
		return nil
	}}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var workers sync.WaitGroup
	defer workers.Wait()
	defer stop()
	for range 3 {
		meter, err := worker.NewMeter(prometheus.NewRegistry())
		require.NoError(t, err)
		w := worker.New(s.db.Ops, map[string]worker.Job{"ops.check_health": worker.CheckHealth(s.db.Ops, obs.Discard(), check)},
			worker.Holder(), nil, obs.Discard(), meter)
		workers.Go(func() { _ = w.Run(ctx) })
	}
	state := func(want string) {
		require.Eventually(t, func() bool {
			all, err := s.db.Ops.ComponentStatus(t.Context())
			require.NoError(t, err)
			for _, each := range all {
				if each.Component == "redis" && each.State == want {
					return true
				}
			}
			return false
		}, soon, 20*time.Millisecond, want)
		after := looks.Load()
		require.Eventually(t, func() bool { return looks.Load() >= after+3 }, soon, 20*time.Millisecond)
	}
	state("up")
	isAway.Store(true)
	state("down")
	isAway.Store(false)
	state("up")
	var told []string
	rows, err := s.Owner.Query(t.Context(), `select name || coalesce(arguments ->> 'detail', '') from outbox.task order by task_id`)
	require.NoError(t, err)
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		told = append(told, name)
	}
	require.Equal(t, []string{"component_downno answer from redis://:[redacted]@127.0.0.1", "component_up"}, told)
}
