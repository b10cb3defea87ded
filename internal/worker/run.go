package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// once claims a run, does it, and writes down how it ended.
func (w *Worker) once(ctx context.Context, job sqlapi.Job, run Job, isStopping func() bool) error {
	if !w.mayClaim(ctx, job) {
		return ErrNotClaimed
	}
	claimed, err := w.books.ClaimRun(ctx, job.Name, w.holder)
	if err != nil {
		w.outage(job.Name).Failed(ctx, "runs cannot be claimed", err)
		return fmt.Errorf("claiming a run: %w", err)
	}
	w.note(job.Name, claimed.Epoch != nil)
	if !claimed.IsClaimed {
		return ErrNotClaimed
	}
	start := time.Now()
	items, err := w.drain(ctx, run, claimed, isStopping)
	if errors.Is(err, atlas.ErrSwitchedOff) {
		err = nil // by an administrator's wish: no failure
	}
	w.report(ctx, job.Name, start, items, err)
	return errors.Join(err, w.record(ctx, job, claimed, start, items, err))
}

// drain calls the job until a batch is not full, its time is over, or the process stops.
func (w *Worker) drain(
	ctx context.Context, run Job, claimed sqlapi.ClaimedRun, isStopping func() bool,
) (items int, err error) {
	timeout := time.Duration(claimed.TimeoutSeconds) * time.Second
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	batch := Batch{
		Holder:     w.holder,
		Epoch:      claimed.Epoch,
		Limit:      claimed.BatchSize,
		IsStopping: isStopping,
	}
	deadline := time.Now().Add(timeout / 2)
	for {
		done, err := protected(ctx, run, batch)
		items += done
		if err != nil || done < batch.Limit || isStopping() || time.Now().After(deadline) {
			return items, err
		}
	}
}

// protected turns a panic into an error: one job must not take the others down with it.
func protected(ctx context.Context, run Job, batch Batch) (items int, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return run(ctx, batch)
}

func (w *Worker) report(ctx context.Context, name string, start time.Time, items int, err error) {
	w.meter.observe(name, time.Since(start), items, err)
	if err != nil {
		w.outage(name).Failed(ctx, "runs fail", err, obs.Took(start), slog.Int("items", items))
		return
	}
	w.outage(name).Over(ctx)
	level := slog.LevelDebug
	if items > 0 {
		level = slog.LevelInfo
	}
	w.log.LogAttrs(ctx, level, "run", obs.Operation(name), obs.Took(start), slog.Int("items", items), obs.Outcome(obs.OutcomeOK))
}

// record writes down a run even when its own time is over.
func (w *Worker) record(
	ctx context.Context, job sqlapi.Job, claimed sqlapi.ClaimedRun, start time.Time, items int, failure error,
) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	finished := sqlapi.FinishedRun{
		Job: job.Name, Holder: w.holder, Epoch: claimed.Epoch, StartedAt: start.UTC(), Items: items,
	}
	if failure != nil {
		finished.Error = failure.Error()
	}
	if claimed.Epoch != nil {
		next, err := nextRun(claimed.Schedule, start)
		if err != nil {
			return err
		}
		finished.NextRunAt = &next
	}
	isRecorded, err := w.books.FinishRun(ctx, finished)
	switch {
	case err != nil:
		w.outage(job.Name).Failed(ctx, "runs cannot be recorded", err)
		return fmt.Errorf("recording a run: %w", err)
	case !isRecorded:
		w.log.WarnContext(ctx, "another worker has taken the job over", obs.Operation(job.Name),
			obs.Outcome(obs.OutcomeRefused))
	}
	return nil
}

// nextRun is counted from the start of this run, but never lies in the past: runs that were missed are not made up for.
func nextRun(schedule string, start time.Time) (time.Time, error) {
	parsed, err := ParseSchedule(schedule)
	if err != nil {
		return time.Time{}, err
	}
	next := parsed.Next(start)
	if now := time.Now(); next.Before(now) {
		next = now
	}
	return next.UTC(), nil
}
