package sqlapi

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/requisites"
)

// Withdrawal holds the functions of schema withdrawal: money that users take out.
type Withdrawal struct{ db *DB }

// WithdrawalParams asks for money to be paid out. Key makes a repeat a replay; requisites are not compared.
type WithdrawalParams struct {
	TelegramID atlas.TelegramID
	Amount     atlas.Kopecks
	Requisites requisites.Sealed
	Key        string
}

func (p WithdrawalParams) args() pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{
		"p_telegram_id":     int64(p.TelegramID),
		"p_amount_kopecks":  int64(p.Amount),
		"p_requisites":      string(p.Requisites),
		"p_idempotency_key": p.Key,
	}
}

// RequestedWithdrawal is a withdrawal and the balances after its amount was held.
type RequestedWithdrawal struct {
	WithdrawalID int64         `db:"withdrawal_id"`
	Status       string        `db:"status"`
	Available    atlas.Kopecks `db:"available_kopecks"`
	Held         atlas.Kopecks `db:"held_kopecks"`
	IsReplay     bool          `db:"is_replay"`
}

var withdrawalRequest = define(`select withdrawal_id, status, available_kopecks, held_kopecks, is_replay
from withdrawal.request(p_telegram_id => @p_telegram_id, p_amount_kopecks => @p_amount_kopecks,
  p_requisites => @p_requisites, p_idempotency_key => @p_idempotency_key)`, false)

// Request holds the amount until an admin decides. atlas.ErrInsufficientFunds (a debt, too), ErrWithdrawalBelowMinimum,
// ErrTooManyWithdrawals.
func (w Withdrawal) Request(ctx context.Context, p WithdrawalParams) (RequestedWithdrawal, error) {
	answer, err := one[RequestedWithdrawal](ctx, w.db, withdrawalRequest, p.args(), about(p.TelegramID))
	if err == nil {
		w.requested(ctx, p.TelegramID, answer)
	}
	return answer, err
}

func (w Withdrawal) requested(ctx context.Context, user atlas.TelegramID, answer RequestedWithdrawal) {
	if !answer.IsReplay {
		w.db.money(ctx, obs.WithdrawalRequested, user, withdrawalAttr(answer.WithdrawalID))
	}
}

// WithdrawalDraft is what the dialogue can submit until ExpiresAt.
type WithdrawalDraft struct {
	DraftID   atlas.DraftID `db:"draft_id"`
	ExpiresAt time.Time     `db:"expires_at"`
	IsReplay  bool          `db:"is_replay"`
}

var withdrawalDraft = define(`select draft_id, expires_at, is_replay
from withdrawal.draft(p_telegram_id => @p_telegram_id, p_amount_kopecks => @p_amount_kopecks,
  p_requisites => @p_requisites, p_idempotency_key => @p_idempotency_key)`, false)

// Draft keeps amount and requisites for the last confirmation; it refuses what Request would refuse and moves no money.
func (w Withdrawal) Draft(ctx context.Context, p WithdrawalParams) (WithdrawalDraft, error) {
	return one[WithdrawalDraft](ctx, w.db, withdrawalDraft, p.args(), about(p.TelegramID))
}

var withdrawalShowDraft = define(`select draft_id, status, amount_kopecks, coalesce(requisites, '') as requisites, expires_at,
  coalesce(withdrawal_id, 0) as withdrawal_id
from withdrawal.show_draft(p_telegram_id => @p_telegram_id, p_draft_id => @p_draft_id)`, false)

// ShownDraft is a draft as its screens show it. Requisites are empty once it was submitted or purged; WithdrawalID is 0
// before.
type ShownDraft struct {
	DraftID      atlas.DraftID     `db:"draft_id"`
	Status       atlas.DraftStatus `db:"status"`
	Amount       atlas.Kopecks     `db:"amount_kopecks"`
	Requisites   requisites.Sealed `db:"requisites"`
	ExpiresAt    time.Time         `db:"expires_at"`
	WithdrawalID int64             `db:"withdrawal_id"`
}

// ShowDraft reads a user's own draft. atlas.ErrNoSuchWithdrawal: it is unknown, or another user's.
func (w Withdrawal) ShowDraft(ctx context.Context, user atlas.TelegramID, draftID atlas.DraftID) (ShownDraft, error) {
	return one[ShownDraft](ctx, w.db, withdrawalShowDraft, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_draft_id": string(draftID),
	}, aboutDraft(user, draftID))
}

// PossibleWithdrawal is an amount that could be withdrawn now, and what would be left of the balance.
type PossibleWithdrawal struct {
	Amount atlas.Kopecks `db:"amount_kopecks"`
	Left   atlas.Kopecks `db:"left_kopecks"`
}

var withdrawalValidate = define(`select amount_kopecks, left_kopecks
from withdrawal.validate(p_telegram_id => @p_telegram_id, p_amount_kopecks => @p_amount_kopecks)`, false)

// Validate refuses what Draft would refuse, before anybody is asked where to pay. It holds nothing.
func (w Withdrawal) Validate(ctx context.Context, user atlas.TelegramID, amount atlas.Kopecks) (PossibleWithdrawal, error) {
	return one[PossibleWithdrawal](ctx, w.db, withdrawalValidate, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_amount_kopecks": int64(amount),
	}, about(user))
}

var withdrawalSubmit = define(`select withdrawal_id, status, available_kopecks, held_kopecks, is_replay
from withdrawal.submit(p_telegram_id => @p_telegram_id, p_draft_id => @p_draft_id)`, false)

// Submit makes a draft a withdrawal. atlas.ErrNoSuchWithdrawal: the draft is unknown, another user's, or expired.
func (w Withdrawal) Submit(ctx context.Context, user atlas.TelegramID, draftID atlas.DraftID) (RequestedWithdrawal, error) {
	answer, err := one[RequestedWithdrawal](ctx, w.db, withdrawalSubmit, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_draft_id": string(draftID),
	}, aboutDraft(user, draftID))
	if err == nil {
		w.requested(ctx, user, answer)
	}
	return answer, err
}

// ApprovedWithdrawal is what an approval made of a withdrawal: Status is pending while a second admin is needed.
type ApprovedWithdrawal struct {
	WithdrawalID int64  `db:"withdrawal_id"`
	Status       string `db:"status"`
	Approvals    int    `db:"approvals"`
	IsReplay     bool   `db:"is_replay"`
}

var withdrawalApprove = define(`select withdrawal_id, status, approvals, is_replay
from withdrawal.approve(p_admin_id => @p_admin_id, p_withdrawal_id => @p_withdrawal_id)`, false)

// Approve pays the held amount out, once enough admins have approved. atlas.ErrOwnWithdrawal, ErrWithdrawalNotPending.
func (w Withdrawal) Approve(ctx context.Context, admin atlas.TelegramID, id int64) (ApprovedWithdrawal, error) {
	answer, err := one[ApprovedWithdrawal](ctx, w.db, withdrawalApprove, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_withdrawal_id": id,
	}, aboutWithdrawal(admin, id))
	if err == nil && !answer.IsReplay {
		obs.Money(ctx, w.db.log, obs.WithdrawalApproved, withdrawalAttr(id), slog.String("status", answer.Status),
			slog.Int64("admin_id", int64(admin)))
	}
	return answer, err
}

// EndedWithdrawal is a withdrawal whose amount went back.
type EndedWithdrawal struct {
	WithdrawalID int64  `db:"withdrawal_id"`
	Status       string `db:"status"`
	IsReplay     bool   `db:"is_replay"`
}

var withdrawalReject = define(`select withdrawal_id, status, is_replay
from withdrawal.reject(p_admin_id => @p_admin_id, p_withdrawal_id => @p_withdrawal_id, p_reason => @p_reason)`, false)

// Reject gives the held amount back; the user is told the reason.
func (w Withdrawal) Reject(ctx context.Context, admin atlas.TelegramID, id int64, reason string) (EndedWithdrawal, error) {
	answer, err := one[EndedWithdrawal](ctx, w.db, withdrawalReject, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_withdrawal_id": id, "p_reason": textOrNull(reason),
	}, aboutWithdrawal(admin, id))
	if err == nil && !answer.IsReplay {
		obs.Money(ctx, w.db.log, obs.WithdrawalRejected, withdrawalAttr(id), slog.Int64("admin_id", int64(admin)))
	}
	return answer, err
}

var withdrawalCancel = define(`select withdrawal_id, status, is_replay
from withdrawal.cancel(p_telegram_id => @p_telegram_id, p_withdrawal_id => @p_withdrawal_id)`, false)

// Cancel takes one's own pending withdrawal back.
func (w Withdrawal) Cancel(ctx context.Context, user atlas.TelegramID, id int64) (EndedWithdrawal, error) {
	answer, err := one[EndedWithdrawal](ctx, w.db, withdrawalCancel, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_withdrawal_id": id,
	}, aboutWithdrawal(user, id))
	if err == nil && !answer.IsReplay {
		w.db.money(ctx, obs.WithdrawalCancelled, user, withdrawalAttr(id))
	}
	return answer, err
}

// PendingWithdrawal waits for admins. Username may be empty.
type PendingWithdrawal struct {
	WithdrawalID    int64             `db:"withdrawal_id"`
	TelegramID      atlas.TelegramID  `db:"telegram_id"`
	Username        string            `db:"username"`
	Amount          atlas.Kopecks     `db:"amount_kopecks"`
	RequestedAt     time.Time         `db:"requested_at"`
	Approvals       int               `db:"approvals"`
	ApprovalsNeeded int               `db:"approvals_needed"`
	Requisites      requisites.Sealed `db:"requisites"`
	Debt            atlas.Kopecks     `db:"debt_kopecks"` // since the request; approving pays out all the same
}

var withdrawalListPending = define(`select withdrawal_id, telegram_id, coalesce(username, '') as username, amount_kopecks,
  requested_at, approvals, approvals_needed, requisites, debt_kopecks
from withdrawal.list_pending(p_admin_id => @p_admin_id, p_limit => @p_limit)`, false)

// ListPending reads what waits for admins, oldest first.
func (w Withdrawal) ListPending(ctx context.Context, admin atlas.TelegramID, limit int) ([]PendingWithdrawal, error) {
	return many[PendingWithdrawal](ctx, w.db, withdrawalListPending, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_limit": limit,
	}, about(admin))
}

// OwnWithdrawal is one of a user's own requests. EndedAt is nil while it is pending; Reason is of a rejection.
type OwnWithdrawal struct {
	WithdrawalID int64         `db:"withdrawal_id"`
	Status       string        `db:"status"`
	Amount       atlas.Kopecks `db:"amount_kopecks"`
	RequestedAt  time.Time     `db:"requested_at"`
	EndedAt      *time.Time    `db:"ended_at"`
	Reason       string        `db:"reason"`
}

var withdrawalLatest = define(`select withdrawal_id, status, amount_kopecks, requested_at, ended_at,
  coalesce(reason, '') as reason
from withdrawal.latest(p_telegram_id => @p_telegram_id, p_limit => @p_limit)`, false)

// Latest reads a user's own requests, newest first.
func (w Withdrawal) Latest(ctx context.Context, user atlas.TelegramID, limit int) ([]OwnWithdrawal, error) {
	return many[OwnWithdrawal](ctx, w.db, withdrawalLatest, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_limit": limit,
	}, about(user))
}

// WithdrawalOptions are the limits: the smallest amount, requests in 24 hours, and from what amount two admins approve.
type WithdrawalOptions struct {
	Minimum  atlas.Kopecks `db:"minimum_kopecks"`
	PerDay   int64         `db:"per_day"`
	FourEyes atlas.Kopecks `db:"four_eyes_kopecks"`
}

var withdrawalOptions = define(`select minimum_kopecks, per_day, four_eyes_kopecks
from withdrawal.options()`, false)

// Options reads the limits.
func (w Withdrawal) Options(ctx context.Context) (WithdrawalOptions, error) {
	return one[WithdrawalOptions](ctx, w.db, withdrawalOptions, pgx.StrictNamedArgs{}, bySystem())
}

var withdrawalPurgeDue = define(`select purged
from withdrawal.purge_due(p_epoch => @p_epoch, p_limit => @p_limit)`, false)

// PurgeDue removes requisites that are no longer needed. A nil epoch means by hand.
func (w Withdrawal) PurgeDue(ctx context.Context, epoch *int64, limit int) (int, error) {
	answer, err := one[purgedCount](ctx, w.db, withdrawalPurgeDue, pgx.StrictNamedArgs{
		"p_epoch": epoch, "p_limit": limit,
	}, bySystem())
	return answer.Purged, err
}

// aboutDraft is a user who acts on a draft.
func aboutDraft(user atlas.TelegramID, draftID atlas.DraftID) actor {
	return actor{id: user, subject: "draft:" + string(draftID)}
}

func withdrawalAttr(id int64) slog.Attr { return slog.Int64("withdrawal_id", id) }
