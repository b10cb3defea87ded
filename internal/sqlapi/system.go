package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// Component is something that the shop depends on, or a part of it. Kind is service, dependency or part; State is as in
// the views ops.component_status and ops.component.
type Component struct {
	Kind   string     `db:"kind"`
	Name   string     `db:"name"`
	State  string     `db:"state"`
	Since  *time.Time `db:"since"`
	Detail string     `db:"detail"`
}

var opsListComponents = define(`select kind, name, state, since, coalesce(detail, '') as detail
from ops.list_components(p_admin_id => @p_admin_id)`, false).reading()

// ListComponents lists how everything is.
func (o Ops) ListComponents(ctx context.Context, admin atlas.TelegramID) ([]Component, error) {
	return many[Component](ctx, o.db, opsListComponents, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
}

// System is the database server and how much of it is used.
type System struct {
	SchemaVersion     int64     `db:"schema_version"`
	PostgresVersion   string    `db:"postgres_version"`
	PostgresStartedAt time.Time `db:"postgres_started_at"`
	DatabaseBytes     int64     `db:"database_bytes"`
	Sessions          int       `db:"sessions"`
	MaxSessions       int       `db:"max_sessions"`
	CheckedAt         time.Time `db:"checked_at"`
}

var opsSystem = define(`select schema_version, postgres_version, postgres_started_at, database_bytes, sessions, max_sessions,
  checked_at
from ops.system(p_admin_id => @p_admin_id)`, false).reading()

// System reads what runs.
func (o Ops) System(ctx context.Context, admin atlas.TelegramID) (System, error) {
	return one[System](ctx, o.db, opsSystem, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
}

// Process is a process that leads something. It is up since Since at least.
type Process struct {
	Holder string    `db:"holder"`
	Leads  []string  `db:"leads"`
	Since  time.Time `db:"since"`
}

var opsListProcesses = define(`select holder, leads, since
from ops.list_processes(p_admin_id => @p_admin_id)`, false).reading()

// ListProcesses lists the processes that lead something.
func (o Ops) ListProcesses(ctx context.Context, admin atlas.TelegramID) ([]Process, error) {
	return many[Process](ctx, o.db, opsListProcesses, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
}

// LockWait is a session that waits for another one. BlockingPID is 0 for a prepared transaction.
type LockWait struct {
	Waited           time.Duration `db:"waited"`
	WaitsFor         string        `db:"waits_for"`
	PID              int           `db:"pid"`
	Application      string        `db:"application_name"`
	Query            string        `db:"query"`
	BlockingPID      int           `db:"blocking_pid"`
	BlockingApp      string        `db:"blocking_application_name"`
	BlockingState    string        `db:"blocking_state"`
	BlockingQuery    string        `db:"blocking_query"`
	BlockingForSoFar time.Duration `db:"blocking_transaction_lasts"`
}

var opsListLockWaits = define(`select waited, waits_for, pid, application_name, query, coalesce(blocking_pid, 0) as blocking_pid,
  coalesce(blocking_application_name, '') as blocking_application_name, coalesce(blocking_state, '') as blocking_state,
  coalesce(blocking_query, '') as blocking_query,
  coalesce(blocking_transaction_lasts, '0') as blocking_transaction_lasts
from ops.list_lock_waits(p_admin_id => @p_admin_id, p_limit => @p_limit)`, false).reading()

// ListLockWaits lists who waits for whom, the longest wait first.
func (o Ops) ListLockWaits(ctx context.Context, admin atlas.TelegramID, limit int) ([]LockWait, error) {
	return many[LockWait](ctx, o.db, opsListLockWaits, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_limit": limit,
	}, about(admin))
}

// ListedJob is a row of the schedule as admins see it. Leader is empty where nobody leads it now.
type ListedJob struct {
	Name                string     `db:"name"`
	Schedule            string     `db:"schedule"`
	IsEnabled           bool       `db:"is_enabled"`
	IsExclusive         bool       `db:"is_exclusive"`
	NextRunAt           *time.Time `db:"next_run_at"`
	LastStartedAt       *time.Time `db:"last_started_at"`
	LastFinishedAt      *time.Time `db:"last_finished_at"`
	LastItems           int        `db:"last_items"`
	LastError           string     `db:"last_error"`
	ConsecutiveFailures int        `db:"consecutive_failures"`
	Leader              string     `db:"leader"`
	Description         string     `db:"description"`
}

var opsListJobs = define(`select name, schedule, is_enabled, is_exclusive, next_run_at, last_started_at, last_finished_at,
  coalesce(last_items, 0) as last_items, coalesce(last_error, '') as last_error, consecutive_failures,
  coalesce(leader, '') as leader, description
from ops.list_jobs(p_admin_id => @p_admin_id)`, false).reading()

// ListJobs lists the schedule.
func (o Ops) ListJobs(ctx context.Context, admin atlas.TelegramID) ([]ListedJob, error) {
	return many[ListedJob](ctx, o.db, opsListJobs, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
}

type changedJob struct {
	Name      string `db:"name"`
	IsChanged bool   `db:"is_changed"`
}

var opsRunJobNow = define(`select name, is_changed
from ops.run_job_now(p_admin_id => @p_admin_id, p_name => @p_name)`, false)

// RunJobNow makes a job due at once. False: there was nothing to bring forward.
func (o Ops) RunJobNow(ctx context.Context, admin atlas.TelegramID, name string) (isChanged bool, err error) {
	answer, err := one[changedJob](ctx, o.db, opsRunJobNow, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_name": name,
	}, actor{id: admin, subject: name})
	return answer.IsChanged, err
}

type switchedJob struct {
	Name      string `db:"name"`
	IsEnabled bool   `db:"is_enabled"`
	IsReplay  bool   `db:"is_replay"`
}

var opsSwitchJob = define(`select name, is_enabled, is_replay
from ops.switch_job(p_admin_id => @p_admin_id, p_name => @p_name, p_is_enabled => @p_is_enabled)`, false)

// SwitchJob lets workers run a job, or not. True: it was so already.
func (o Ops) SwitchJob(ctx context.Context, admin atlas.TelegramID, name string, isEnabled bool) (isReplay bool, err error) {
	answer, err := one[switchedJob](ctx, o.db, opsSwitchJob, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_name": name, "p_is_enabled": isEnabled,
	}, actor{id: admin, subject: name})
	return answer.IsReplay, err
}
