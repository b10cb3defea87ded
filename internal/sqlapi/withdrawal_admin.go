package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/requisites"
)

// QueuedWithdrawal waits for admins. Username may be empty.
type QueuedWithdrawal struct {
	WithdrawalID    int64            `db:"withdrawal_id"`
	TelegramID      atlas.TelegramID `db:"telegram_id"`
	Username        string           `db:"username"`
	Amount          atlas.Kopecks    `db:"amount_kopecks"`
	RequestedAt     time.Time        `db:"requested_at"`
	Approvals       int              `db:"approvals"`
	ApprovalsNeeded int              `db:"approvals_needed"`
}

var withdrawalQueue = define(`select withdrawal_id, telegram_id, coalesce(username, '') as username, amount_kopecks,
  requested_at, approvals, approvals_needed
from withdrawal.queue(p_admin_id => @p_admin_id, p_after_id => @p_after_id, p_limit => @p_limit)`, false).reading()

// Queue reads a page of what waits for admins, oldest first. After is the last number of the page before, or 0.
func (w Withdrawal) Queue(ctx context.Context, admin atlas.TelegramID, after int64, limit int) ([]QueuedWithdrawal, error) {
	return many[QueuedWithdrawal](ctx, w.db, withdrawalQueue, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_after_id": numberOrNull(after), "p_limit": limit,
	}, about(admin))
}

// Approver is an admin who has approved a withdrawal. Username may be empty.
type Approver struct {
	TelegramID atlas.TelegramID `json:"telegram_id"`
	Username   string           `json:"username"`
	ApprovedAt time.Time        `json:"approved_at"`
}

// ShownWithdrawal is a withdrawal as an admin's screens show it. EndedAt is nil and EndedBy 0 while it is pending; Reason is
// of a rejection. Usernames may be empty.
type ShownWithdrawal struct {
	QueuedWithdrawal

	Status          string           `db:"status"`
	Approvers       []Approver       `db:"approvers"`
	Debt            atlas.Kopecks    `db:"debt_kopecks"` // since the request; approving pays out all the same
	EndedAt         *time.Time       `db:"ended_at"`
	EndedBy         atlas.TelegramID `db:"ended_by"`
	EndedByName     string           `db:"ended_by_name"`
	Reason          string           `db:"reason"`
	IsOwn           bool             `db:"is_own"` // the admin's who looks
	IsApprovedByYou bool             `db:"is_approved_by_you"`
}

var withdrawalShow = define(`select withdrawal_id, telegram_id, coalesce(username, '') as username, status, amount_kopecks,
  requested_at, approvals, approvals_needed, approvers, debt_kopecks, ended_at, coalesce(ended_by, 0) as ended_by,
  coalesce(ended_by_name, '') as ended_by_name, coalesce(reason, '') as reason, is_own, is_approved_by_you
from withdrawal.show(p_admin_id => @p_admin_id, p_withdrawal_id => @p_withdrawal_id)`, false).reading()

// Show reads a withdrawal without where to pay. atlas.ErrNoSuchWithdrawal.
func (w Withdrawal) Show(ctx context.Context, admin atlas.TelegramID, id int64) (ShownWithdrawal, error) {
	return one[ShownWithdrawal](ctx, w.db, withdrawalShow, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_withdrawal_id": id,
	}, aboutWithdrawal(admin, id))
}

// LookedWithdrawal is a withdrawal with where to pay; that is empty once it was purged.
type LookedWithdrawal struct {
	ShownWithdrawal

	Requisites requisites.Sealed `db:"requisites"`
}

var withdrawalLook = define(`select withdrawal_id, telegram_id, coalesce(username, '') as username, status, amount_kopecks,
  requested_at, approvals, approvals_needed, approvers, debt_kopecks, ended_at, coalesce(ended_by, 0) as ended_by,
  coalesce(ended_by_name, '') as ended_by_name, coalesce(reason, '') as reason, is_own, is_approved_by_you,
  coalesce(requisites, '') as requisites
from withdrawal.look(p_admin_id => @p_admin_id, p_withdrawal_id => @p_withdrawal_id)`, false)

// Look reads a withdrawal with where to pay, and leaves a row in the audit. atlas.ErrNoSuchWithdrawal.
func (w Withdrawal) Look(ctx context.Context, admin atlas.TelegramID, id int64) (LookedWithdrawal, error) {
	return one[LookedWithdrawal](ctx, w.db, withdrawalLook, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_withdrawal_id": id,
	}, aboutWithdrawal(admin, id))
}
