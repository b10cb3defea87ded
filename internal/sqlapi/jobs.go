package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Job is a row of the schedule. Schedule is a cron expression (UTC) or "N seconds". An exclusive job runs in one worker at
// a time, by NextRunAt; any other runs in every worker, by each one's own timer.
type Job struct {
	Name                string     `db:"name"`
	Schedule            string     `db:"schedule"`
	IsEnabled           bool       `db:"is_enabled"`
	IsExclusive         bool       `db:"is_exclusive"`
	BatchSize           int        `db:"batch_size"`
	TimeoutSeconds      int        `db:"timeout_seconds"`
	NextRunAt           *time.Time `db:"next_run_at"`
	LastStartedAt       *time.Time `db:"last_started_at"`
	LastFinishedAt      *time.Time `db:"last_finished_at"`
	LastItems           *int64     `db:"last_items"`
	LastError           string     `db:"last_error"`
	ConsecutiveFailures int        `db:"consecutive_failures"`
}

var opsJob = define(`select name, schedule, is_enabled, is_exclusive, batch_size, timeout_seconds, next_run_at,
  last_started_at, last_finished_at, last_items, coalesce(last_error, '') as last_error,
  coalesce(consecutive_failures, 0) as consecutive_failures
from ops.job
order by name`, false)

// Jobs reads the schedule.
func (o Ops) Jobs(ctx context.Context) ([]Job, error) {
	return many[Job](ctx, o.db, opsJob, pgx.StrictNamedArgs{}, bySystem())
}

// ClaimedRun is leave to run a job once. Epoch is nil for a job that is not exclusive.
type ClaimedRun struct {
	IsClaimed      bool   `db:"is_claimed"`
	Epoch          *int64 `db:"epoch"`
	BatchSize      int    `db:"batch_size"`
	TimeoutSeconds int    `db:"timeout_seconds"`
	Schedule       string `db:"schedule"`
}

var opsClaimRun = define(`select is_claimed, epoch, coalesce(batch_size, 0) as batch_size,
  coalesce(timeout_seconds, 0) as timeout_seconds, coalesce(schedule, '') as schedule
from ops.claim_run(p_job_name => @p_job_name, p_holder => @p_holder)`, false)

// ClaimRun asks whether this worker may run the job now. The same holder may ask again: a lost answer costs nothing.
func (o Ops) ClaimRun(ctx context.Context, job, holder string) (ClaimedRun, error) {
	return one[ClaimedRun](ctx, o.db, opsClaimRun, pgx.StrictNamedArgs{
		"p_job_name": job, "p_holder": holder,
	}, bySystem())
}

// FinishedRun is what a run did. Error is empty if all went well; NextRunAt is nil for a job that is not exclusive.
type FinishedRun struct {
	Job       string
	Holder    string
	Epoch     *int64
	StartedAt time.Time
	Items     int
	Error     string
	NextRunAt *time.Time
}

type recordedRun struct {
	IsRecorded bool `db:"is_recorded"`
}

var opsFinishRun = define(`select is_recorded
from ops.finish_run(p_job_name => @p_job_name, p_holder => @p_holder, p_epoch => @p_epoch,
  p_started_at => @p_started_at, p_items => @p_items, p_error => @p_error, p_next_run_at => @p_next_run_at)`, false)

// FinishRun records a run. False means that the run's epoch is stale: another worker has the job.
func (o Ops) FinishRun(ctx context.Context, run FinishedRun) (bool, error) {
	answer, err := one[recordedRun](ctx, o.db, opsFinishRun, pgx.StrictNamedArgs{
		"p_job_name":    run.Job,
		"p_holder":      run.Holder,
		"p_epoch":       run.Epoch,
		"p_started_at":  run.StartedAt,
		"p_items":       run.Items,
		"p_error":       textOrNull(clip(run.Error)),
		"p_next_run_at": run.NextRunAt,
	}, bySystem())
	return answer.IsRecorded, err
}
