package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// UndeliveredKey is a key that is promised and not delivered. Attempts are those begun; LastError is empty before the first
// has failed.
type UndeliveredKey struct {
	JobID      int64            `db:"job_id"`
	TelegramID atlas.TelegramID `db:"telegram_id"`
	Username   string           `db:"username"`
	PromisedAt time.Time        `db:"promised_at"`
	Attempts   int              `db:"attempts"`
	IsFailed   bool             `db:"is_failed"` // given up
	LastError  string           `db:"last_error"`
}

var vpnListUndelivered = define(`select job_id, telegram_id, coalesce(username, '') as username, promised_at, attempts,
  is_failed, coalesce(last_error, '') as last_error
from vpn.list_undelivered(p_admin_id => @p_admin_id, p_is_tried => @p_is_tried, p_after_user => @p_after_user,
  p_after_id => @p_after_id, p_limit => @p_limit)`, false).reading()

// ListUndelivered reads a page of the keys that an attempt has failed for, or of those that wait for their first. After is
// the last row of the page before; its zero value begins.
func (v VPN) ListUndelivered(
	ctx context.Context, admin atlas.TelegramID, isTried bool, after JobRef, limit int,
) ([]UndeliveredKey, error) {
	return many[UndeliveredKey](ctx, v.db, vpnListUndelivered, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_is_tried": isTried, "p_after_user": numberOrNull(int64(after.TelegramID)),
		"p_after_id": numberOrNull(after.JobID), "p_limit": limit,
	}, about(admin))
}

// JobRef names a job by its user and its number.
type JobRef struct {
	TelegramID atlas.TelegramID
	JobID      int64
}

// ShownJob is a promised key as an admin's screens show it. Status is waiting, working, failed, delivered or stale. PurchaseID
// is empty for a key that was not bought.
type ShownJob struct {
	JobID      int64            `db:"job_id"`
	TelegramID atlas.TelegramID `db:"telegram_id"`
	Username   string           `db:"username"`
	PurchaseID atlas.PurchaseID `db:"purchase_id"`
	PromisedAt time.Time        `db:"promised_at"`
	Attempts   int              `db:"attempts"`
	DueAt      time.Time        `db:"due_at"`
	Status     string           `db:"status"`
	LastError  string           `db:"last_error"`
}

var vpnShowJob = define(`select job_id, telegram_id, coalesce(username, '') as username,
  coalesce(purchase_id::text, '') as purchase_id, promised_at, attempts, due_at, status, coalesce(last_error, '') as last_error
from vpn.show_job(p_admin_id => @p_admin_id, p_telegram_id => @p_telegram_id, p_job_id => @p_job_id)`, false).reading()

// ShowJob reads a promised key. atlas.ErrNoSuchJob.
func (v VPN) ShowJob(ctx context.Context, admin atlas.TelegramID, job JobRef) (ShownJob, error) {
	return one[ShownJob](ctx, v.db, vpnShowJob, job.args(admin), byAdmin(admin, job.TelegramID))
}

func (j JobRef) args(admin atlas.TelegramID) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{"p_admin_id": int64(admin), "p_telegram_id": int64(j.TelegramID), "p_job_id": j.JobID}
}

// RetriedJob is how a promised key stands after an admin has asked for another attempt.
type RetriedJob struct {
	JobID     int64  `db:"job_id"`
	Status    string `db:"status"`
	IsRetried bool   `db:"is_retried"`
}

var vpnRetryJob = define(`select job_id, status, is_retried
from vpn.retry_job(p_admin_id => @p_admin_id, p_telegram_id => @p_telegram_id, p_job_id => @p_job_id)`, false)

// RetryJob has a promised key tried again now, one that was given up, too. atlas.ErrNoSuchJob.
func (v VPN) RetryJob(ctx context.Context, admin atlas.TelegramID, job JobRef) (RetriedJob, error) {
	return one[RetriedJob](ctx, v.db, vpnRetryJob, job.args(admin), byAdmin(admin, job.TelegramID))
}
