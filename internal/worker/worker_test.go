package worker

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// books is schema ops for one exclusive or parallel job.
type books struct {
	mu       sync.Mutex
	jobs     []sqlapi.Job
	claimed  int
	askers   map[string]int
	finished []sqlapi.FinishedRun
	released []string
	refuse   bool
}

func (b *books) Jobs(context.Context) ([]sqlapi.Job, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]sqlapi.Job(nil), b.jobs...), nil
}

func (b *books) ClaimRun(_ context.Context, name, holder string) (sqlapi.ClaimedRun, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.askers == nil {
		b.askers = map[string]int{}
	}
	b.askers[holder]++
	for _, job := range b.jobs {
		if job.Name == name && !b.refuse {
			b.claimed++
			run := sqlapi.ClaimedRun{IsClaimed: true, BatchSize: job.BatchSize, TimeoutSeconds: job.TimeoutSeconds, Schedule: job.Schedule}
			if job.IsExclusive {
				epoch := int64(7)
				run.Epoch = &epoch
			}
			return run, nil
		}
	}
	return sqlapi.ClaimedRun{}, nil
}

func (b *books) FinishRun(ctx context.Context, run sqlapi.FinishedRun) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finished = append(b.finished, run)
	for i := range b.jobs {
		if b.jobs[i].Name == run.Job {
			b.jobs[i].NextRunAt = run.NextRunAt
		}
	}
	return true, nil
}

func (b *books) ReleaseLease(ctx context.Context, name, _ string) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.released = append(b.released, name)
	return true, nil
}

func (b *books) runs() []sqlapi.FinishedRun {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]sqlapi.FinishedRun(nil), b.finished...)
}

type bundle struct {
	books *books
	stop  context.CancelFunc
	done  chan error
	start func(jobs map[string]Job) *Worker
}

func setup(t *testing.T, jobs ...sqlapi.Job) *bundle {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	b := &bundle{books: &books{jobs: jobs}, stop: stop, done: make(chan error, 1)}
	b.start = func(jobs map[string]Job) *Worker {
		w := b.worker(t, jobs)
		go func() { b.done <- w.Run(ctx) }()
		return w
	}
	t.Cleanup(stop)
	return b
}

func (b *bundle) worker(t *testing.T, jobs map[string]Job) *Worker {
	t.Helper()
	meter, err := NewMeter(prometheus.NewRegistry())
	require.NoError(t, err)
	return New(b.books, jobs, Holder(), nil, obs.Discard(), meter)
}

func job(name, schedule string, isExclusive bool) sqlapi.Job {
	return sqlapi.Job{
		Name: name, Schedule: schedule, IsEnabled: true, IsExclusive: isExclusive, BatchSize: 10, TimeoutSeconds: 600,
	}
}

const soon = time.Minute

func TestExclusiveJobRunsUnderItsEpochAndPlansTheNextRun(t *testing.T) {
	t.Parallel()
	b := setup(t, job("a", "3600 seconds", true))
	var seen atomic.Int64
	b.start(map[string]Job{"a": func(_ context.Context, batch Batch) (int, error) {
		seen.Store(*batch.Epoch)
		assert.Equal(t, 10, batch.Limit)
		return 3, nil
	}})
	require.Eventually(t, func() bool { return len(b.books.runs()) == 1 }, soon, time.Millisecond)
	b.stop()
	require.NoError(t, <-b.done)
	run := b.books.runs()[0]
	require.EqualValues(t, 7, seen.Load())
	require.Equal(t, []string{"a"}, b.books.released, "the next worker need not wait")
	require.Equal(t, 3, run.Items)
	require.Empty(t, run.Error)
	require.EqualValues(t, 7, *run.Epoch)
	require.WithinDuration(t, run.StartedAt.Add(time.Hour), *run.NextRunAt, time.Millisecond)
}

func TestParallelJobKeepsItsOwnTimer(t *testing.T) {
	t.Parallel()
	b := setup(t, job("a", "3600 seconds", false))
	w := b.worker(t, nil)
	now := time.Now()
	require.True(t, w.begin(b.books.jobs[0], now), "at once at the start")
	require.False(t, w.begin(b.books.jobs[0], now.Add(2*time.Hour)), "it still runs")
	w.end("a")
	require.False(t, w.begin(b.books.jobs[0], now.Add(59*time.Minute)))
	require.True(t, w.begin(b.books.jobs[0], now.Add(61*time.Minute)))
	w.end("a")
	b.books.jobs[0].Schedule = "1 seconds"
	require.True(t, w.begin(b.books.jobs[0], now.Add(62*time.Minute)), "a new schedule counts at once")
	w.end("a")
	b.books.jobs[0].Schedule = "17 3 * * *"
	require.False(t, w.begin(b.books.jobs[0], now.Add(63*time.Minute)), "by the calendar: not before its time")
	b.books.jobs[0].Schedule = "whenever"
	require.False(t, w.begin(b.books.jobs[0], now.Add(1000*time.Hour)))
}

func TestExclusiveJobIsNotAskedForBeforeItsTime(t *testing.T) {
	t.Parallel()
	b := setup(t, job("a", "5 seconds", true))
	w := b.worker(t, nil)
	now := time.Now()
	later := now.Add(time.Minute)
	b.books.jobs[0].NextRunAt = &later
	require.False(t, w.begin(b.books.jobs[0], now))
	require.True(t, w.begin(b.books.jobs[0], later))
}

func TestFullBatchesAreDrainedInOneRun(t *testing.T) {
	t.Parallel()
	b := setup(t, job("a", "3600 seconds", true))
	sizes := []int{10, 10, 4, 10}
	b.start(map[string]Job{"a": func(context.Context, Batch) (int, error) {
		size := sizes[0]
		sizes = sizes[1:]
		return size, nil
	}})
	require.Eventually(t, func() bool { return len(b.books.runs()) == 1 }, soon, time.Millisecond)
	b.stop()
	require.NoError(t, <-b.done)
	require.Equal(t, 24, b.books.runs()[0].Items)
}

func TestFailuresAndPanicsAreRecordedAndHurtNobodyElse(t *testing.T) {
	t.Parallel()
	b := setup(t, job("a", "3600 seconds", true), job("b", "3600 seconds", true), job("c", "3600 seconds", true))
	b.start(map[string]Job{
		"a": func(context.Context, Batch) (int, error) { return 1, errors.New("no") },
		"b": func(context.Context, Batch) (int, error) { panic("oh") },
		"c": func(context.Context, Batch) (int, error) { return 0, atlas.ErrSwitchedOff },
	})
	require.Eventually(t, func() bool { return len(b.books.runs()) == 3 }, soon, time.Millisecond)
	b.stop()
	require.NoError(t, <-b.done)
	failures := map[string]string{}
	for _, run := range b.books.runs() {
		failures[run.Job] = run.Error
	}
	require.Equal(t, "no", failures["a"])
	require.Contains(t, failures["b"], "panic: oh")
	require.Empty(t, failures["c"], "switched off is no failure")
}

func TestSwitchedOffAndUnknownJobsDoNotRun(t *testing.T) {
	t.Parallel()
	off := job("off", "1 seconds", true)
	off.IsEnabled = false
	b := setup(t, off, job("not ours", "1 seconds", true), job("on", "1 seconds", true))
	b.start(map[string]Job{
		"off": func(context.Context, Batch) (int, error) { panic("must not run") },
		"on":  func(context.Context, Batch) (int, error) { return 1, nil },
	})
	require.Eventually(t, func() bool { return len(b.books.runs()) >= 2 }, soon, time.Millisecond)
	b.stop()
	require.NoError(t, <-b.done)
	for _, run := range b.books.runs() {
		require.Equal(t, "on", run.Job)
	}
}

func TestStoppingWaitsForTheRunInHand(t *testing.T) {
	t.Parallel()
	b := setup(t, job("a", "1 seconds", true))
	entered := make(chan struct{})
	b.start(map[string]Job{"a": func(ctx context.Context, batch Batch) (int, error) {
		close(entered)
		assert.Eventually(t, batch.IsStopping, soon, time.Millisecond)
		<-time.After(50 * time.Millisecond) // the rest of the work
		assert.NoError(t, ctx.Err(), "the work itself is not cancelled")
		return 10, nil // a full batch, but nothing more is begun
	}})
	<-entered
	b.stop()
	require.NoError(t, <-b.done)
	require.Len(t, b.books.runs(), 1)
	require.Equal(t, 10, b.books.runs()[0].Items)
}

// TestTheGraceIsBounded: a run that does not see that it should stop is cancelled when the grace is over, and recorded; then
// the lease is given back.
func TestTheGraceIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, job("a", "1 seconds", true))
		entered := make(chan struct{})
		b.start(map[string]Job{"a": func(ctx context.Context, _ Batch) (int, error) {
			close(entered)
			<-ctx.Done()
			return 0, ctx.Err()
		}})
		<-entered
		told := time.Now()
		b.stop()
		require.NoError(t, <-b.done)
		require.Equal(t, Grace, time.Since(told))
		require.Len(t, b.books.runs(), 1)
		require.Equal(t, []string{"a"}, b.books.released)
	})
}

func TestARunThatIsCancelledIsRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t, job("a", "1 seconds", true))
	ctx, cancel := context.WithCancel(t.Context())
	w := b.worker(t, map[string]Job{"a": func(ctx context.Context, _ Batch) (int, error) {
		cancel()
		return 3, ctx.Err()
	}})
	err := w.once(ctx, b.books.jobs[0], w.jobs["a"], func() bool { return true })
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, b.books.runs(), 1)
	require.Equal(t, []any{3, "context canceled"}, []any{b.books.runs()[0].Items, b.books.runs()[0].Error})
}

func TestWhatAnotherWorkerHasIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := setup(t, job("a", "1 seconds", true))
	b.books.refuse = true
	w := b.worker(t, nil)
	err := w.once(t.Context(), b.books.jobs[0], nil, func() bool { return false })
	require.ErrorIs(t, err, ErrNotClaimed)
	require.Empty(t, b.books.runs())
}

func TestRunNow(t *testing.T) {
	t.Parallel()
	b := setup(t, job("a", "17 3 * * *", true))
	w := b.worker(t, map[string]Job{"a": func(ctx context.Context, batch Batch) (int, error) {
		require.Nil(t, batch.Epoch, "by hand")
		require.NotEmpty(t, obs.CorrelationID(ctx))
		return 5, nil
	}})
	items, err := w.RunNow(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, 5, items)
	_, err = w.RunNow(t.Context(), "b")
	require.ErrorContains(t, err, "no such job")
}

// TestRunNowToldToStop: what a run by hand has in hand is finished, and nothing more is begun.
func TestRunNowToldToStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		batches := 0
		w := setup(t, job("a", "17 3 * * *", true)).worker(t, map[string]Job{"a": func(ctx context.Context, batch Batch) (int, error) {
			batches++
			require.False(t, batch.IsStopping())
			stop()
			time.Sleep(Grace - 1)
			require.NoError(t, ctx.Err())
			require.True(t, batch.IsStopping())
			time.Sleep(2 * time.Nanosecond)
			require.Error(t, ctx.Err(), "its grace is over")
			return batch.Limit, nil
		}})
		items, err := w.RunNow(ctx, "a")
		require.NoError(t, err)
		require.Equal(t, 10, items)
		require.Equal(t, 1, batches)
	})
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	moscow := time.FixedZone("Moscow", 3*60*60)
	at := time.Date(2025, 3, 1, 5, 0, 0, 0, moscow) // 02:00 UTC

	schedule, err := ParseSchedule("17 3 * * *")
	require.NoError(t, err)
	require.Equal(t, time.Date(2025, 3, 1, 3, 17, 0, 0, time.UTC), schedule.Next(at), "in UTC")
	schedule, err = ParseSchedule("5 seconds")
	require.NoError(t, err)
	require.Equal(t, at.Add(5*time.Second), schedule.Next(at))
	for _, text := range []string{"", "0 seconds", "-1 seconds", "x seconds", "90000 seconds", "5 minutes", "* * *", "61 * * * *"} {
		_, err := ParseSchedule(text)
		require.Error(t, err, text)
	}
}

func TestMissedRunsAreNotMadeUpFor(t *testing.T) {
	t.Parallel()
	before := time.Now()
	next, err := nextRun("5 seconds", before.Add(-time.Hour))
	require.NoError(t, err)
	require.WithinRange(t, next, before, time.Now())
}
