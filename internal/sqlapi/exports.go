package sqlapi

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// What an export has.
const (
	ExportUsers         = "users"
	ExportSubscriptions = "subscriptions"
	ExportLedger        = "ledger"
	ExportBatch         = "promo_batch" // the codes of a batch
)

// How an export ends.
const (
	ExportDone        = "done"
	ExportCancelled   = "cancelled"
	ExportUnreachable = "unreachable" // the admin has blocked the bot
	ExportRefused     = "refused"     // the admin is one no more
	ExportFailed      = "failed"
)

type requestedExport struct {
	ExportID int64 `db:"export_id"`
	IsReplay bool  `db:"is_replay"`
}

var opsRequestExport = define(`select export_id, is_replay
from ops.request_export(p_admin_id => @p_admin_id, p_kind => @p_kind, p_batch_id => @p_batch_id,
  p_idempotency_key => @p_idempotency_key)`, false)

// RequestExport asks for a file; batch is 0 for all kinds but ExportBatch. True: the admin's last one of the kind is still
// under way. atlas.ErrNoSuchPromo: there is no such batch.
func (o Ops) RequestExport(ctx context.Context, admin atlas.TelegramID, kind string, batch int64, key string) (isReplay bool, err error) {
	answer, err := one[requestedExport](ctx, o.db, opsRequestExport, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_kind": kind, "p_batch_id": numberOrNull(batch), "p_idempotency_key": key,
	}, actor{id: admin, subject: kind})
	return answer.IsReplay, err
}

// ListedExport is an export in a list, and how far it is. ExpectedRows is about; Outcome is empty while it is under way.
type ListedExport struct {
	ExportID     int64      `db:"export_id"`
	Kind         string     `db:"kind"`
	BatchID      int64      `db:"batch_id"`
	RequestedAt  time.Time  `db:"requested_at"`
	ExpectedRows int64      `db:"expected_rows"`
	RowsRead     int64      `db:"rows_read"`
	RowsSent     int64      `db:"rows_sent"`
	Parts        int        `db:"parts"`
	IsRunning    bool       `db:"is_running"`
	LastError    string     `db:"last_error"`
	FinishedAt   *time.Time `db:"finished_at"`
	Outcome      string     `db:"outcome"`
}

var opsListExports = define(`select export_id, kind, coalesce(batch_id, 0) as batch_id, requested_at, expected_rows, rows_read,
  rows_sent, parts, is_running, coalesce(last_error, '') as last_error, finished_at, coalesce(outcome, '') as outcome
from ops.list_exports(p_admin_id => @p_admin_id, p_before => @p_before, p_limit => @p_limit)`, false).reading()

// ListExports lists a page of an admin's own exports, newest first, from before a number; 0 for the first page.
func (o Ops) ListExports(ctx context.Context, admin atlas.TelegramID, before int64, limit int) ([]ListedExport, error) {
	return many[ListedExport](ctx, o.db, opsListExports, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_before": numberOrNull(before), "p_limit": limit,
	}, about(admin))
}

type cancelledExport struct {
	ExportID    int64 `db:"export_id"`
	IsCancelled bool  `db:"is_cancelled"`
}

var opsCancelExport = define(`select export_id, is_cancelled
from ops.cancel_export(p_admin_id => @p_admin_id, p_export_id => @p_export_id)`, false)

// CancelExport ends an admin's own export. False: it was over already.
func (o Ops) CancelExport(ctx context.Context, admin atlas.TelegramID, id int64) (bool, error) {
	answer, err := one[cancelledExport](ctx, o.db, opsCancelExport, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_export_id": id,
	}, actor{id: admin, subject: "export:" + strconv.FormatInt(id, 10)})
	return answer.IsCancelled, err
}

// ExportPlace is how far an export is: after which row it goes on.
type ExportPlace struct {
	ID      int64 `db:"reached_id"`
	Version int64 `db:"reached_version"`
}

// ClaimedExport is an export that this process sends, held under a lease. Numbers names those columns of Header that are.
type ClaimedExport struct {
	ExportPlace
	ExportID     int64            `db:"export_id"`
	Kind         string           `db:"kind"`
	BatchID      int64            `db:"batch_id"`
	AdminID      atlas.TelegramID `db:"admin_id"`
	Language     atlas.Language   `db:"language"`
	RequestedAt  time.Time        `db:"requested_at"`
	ExpectedRows int64            `db:"expected_rows"`
	Parts        int              `db:"parts"`
	RowsSent     int64            `db:"rows_sent"`
	Attempt      int              `db:"attempt"`
	LeaseToken   string           `db:"lease_token"`
	Header       []string         `db:"header"`
	Numbers      []string         `db:"numbers"`
}

func (e ClaimedExport) args(more pgx.StrictNamedArgs) pgx.StrictNamedArgs {
	more["p_export_id"], more["p_lease_token"] = e.ExportID, e.LeaseToken
	return more
}

var opsClaimExport = define(`select export_id, kind, coalesce(batch_id, 0) as batch_id, admin_id, language, requested_at,
  expected_rows, reached_id, reached_version, parts, rows_sent, attempt, lease_token, header, numbers
from ops.claim_export(p_holder => @p_holder, p_lease => @p_lease)`, true)

// ClaimExport takes the next export that is due; nil: none is.
func (o Ops) ClaimExport(ctx context.Context, holder string, lease time.Duration) (*ClaimedExport, error) {
	rows, err := many[ClaimedExport](ctx, o.db, opsClaimExport, pgx.StrictNamedArgs{
		"p_holder": holder, "p_lease": lease,
	}, bySystem())
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// ExportRow is one row of an export. Cells is nil for one that does not belong to it and is only passed by.
type ExportRow struct {
	ExportPlace
	Cells []string `db:"cells"`
}

var opsExportPage = define(`select reached_id, reached_version, cells
from ops.export_page(p_export_id => @p_export_id, p_lease_token => @p_lease_token, p_after_id => @p_after_id,
  p_after_version => @p_after_version, p_limit => @p_limit)`, false).reading()

// ExportPage reads the rows after a place. Fewer than limit are the last ones, or the lease was lost: see KeepExport.
func (o Ops) ExportPage(ctx context.Context, e ClaimedExport, after ExportPlace, limit int) ([]ExportRow, error) {
	return many[ExportRow](ctx, o.db, opsExportPage, e.args(pgx.StrictNamedArgs{
		"p_after_id": after.ID, "p_after_version": after.Version, "p_limit": limit,
	}), bySystem())
}

// KeptExport says whether an export goes on. Outcome is how it ended, and empty where another process has it. At is the
// database's time.
type KeptExport struct {
	GoesOn  bool      `db:"goes_on"`
	Outcome string    `db:"outcome"`
	At      time.Time `db:"kept_at"`
}

var opsKeepExport = define(`select goes_on, coalesce(outcome, '') as outcome, kept_at
from ops.keep_export(p_export_id => @p_export_id, p_lease_token => @p_lease_token, p_lease => @p_lease,
  p_rows_read => @p_rows_read)`, false)

// KeepExport renews the lease, notes how many rows were read in all, and asks whether anything more may be sent.
func (o Ops) KeepExport(ctx context.Context, e ClaimedExport, lease time.Duration, rowsRead int64) (KeptExport, error) {
	return one[KeptExport](ctx, o.db, opsKeepExport, e.args(pgx.StrictNamedArgs{
		"p_lease": lease, "p_rows_read": rowsRead,
	}), bySystem())
}

// ExportPart is a part of an export. It has Rows rows up to Reached, which were read between From and To; RowsBefore are in
// the parts before it.
type ExportPart struct {
	Number     int
	Rows       int64
	RowsBefore int64
	Reached    ExportPlace
	IsLast     bool
	From, To   time.Time
}

type recordedPart struct {
	IsRecorded bool `db:"is_recorded"`
}

var opsRecordPart = define(`select is_recorded
from ops.record_part(p_export_id => @p_export_id, p_lease_token => @p_lease_token, p_part => @p_part, p_rows => @p_rows,
  p_reached_id => @p_reached_id, p_reached_version => @p_reached_version, p_is_last => @p_is_last)`, false)

// RecordPart records that a part was sent; the last one ends the export. False: the lease was lost.
func (o Ops) RecordPart(ctx context.Context, e ClaimedExport, part ExportPart) (bool, error) {
	answer, err := one[recordedPart](ctx, o.db, opsRecordPart, e.args(pgx.StrictNamedArgs{
		"p_part": part.Number, "p_rows": part.Rows, "p_reached_id": part.Reached.ID,
		"p_reached_version": part.Reached.Version, "p_is_last": part.IsLast,
	}), bySystem())
	return answer.IsRecorded, err
}

type putBackExport struct {
	IsRecorded    bool       `db:"is_recorded"`
	NextAttemptAt *time.Time `db:"next_attempt_at"`
}

var opsFailExport = define(`select is_recorded, next_attempt_at
from ops.fail_export(p_export_id => @p_export_id, p_lease_token => @p_lease_token, p_error => @p_error,
  p_is_unreachable => @p_is_unreachable)`, false)

// FailExport counts a failed attempt. isUnreachable ends the export: the admin has blocked the bot. False: the lease was lost.
func (o Ops) FailExport(ctx context.Context, e ClaimedExport, reason string, isUnreachable bool) (bool, error) {
	answer, err := one[putBackExport](ctx, o.db, opsFailExport, e.args(pgx.StrictNamedArgs{
		"p_error": clip(reason), "p_is_unreachable": isUnreachable,
	}), bySystem())
	return answer.IsRecorded, err
}

var opsReleaseExport = define(`select is_recorded, next_attempt_at
from ops.release_export(p_export_id => @p_export_id, p_lease_token => @p_lease_token, p_error => @p_error,
  p_wait => @p_wait)`, false)

// ReleaseExport gives an export back that does not go on through no fault of its own. False: the lease was lost.
func (o Ops) ReleaseExport(ctx context.Context, e ClaimedExport, reason string, wait time.Duration) (bool, error) {
	answer, err := one[putBackExport](ctx, o.db, opsReleaseExport, e.args(pgx.StrictNamedArgs{
		"p_error": clip(reason), "p_wait": min(wait, maxRelease),
	}), bySystem())
	return answer.IsRecorded, err
}
