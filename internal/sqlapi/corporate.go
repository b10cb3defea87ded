package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// CorporateParams is a request for corporate access. Key makes a repeat a replay.
type CorporateParams struct {
	TelegramID atlas.TelegramID
	Company    string
	Contact    string
	Key        string
}

type requestedCorporate struct {
	RequestID   int64     `db:"request_id"`
	RequestedAt time.Time `db:"requested_at"`
	IsReplay    bool      `db:"is_replay"`
}

var accountRequestCorporate = define(`select request_id, requested_at, is_replay
from account.request_corporate(p_telegram_id => @p_telegram_id, p_company => @p_company, p_contact => @p_contact,
  p_idempotency_key => @p_idempotency_key)`, false)

// RequestCorporate tells the admins that somebody wants corporate access. atlas.ErrRequestIsOpen: they know already.
func (a Account) RequestCorporate(ctx context.Context, p CorporateParams) error {
	_, err := one[requestedCorporate](ctx, a.db, accountRequestCorporate, pgx.StrictNamedArgs{
		"p_telegram_id": int64(p.TelegramID), "p_company": p.Company, "p_contact": p.Contact, "p_idempotency_key": p.Key,
	}, about(p.TelegramID))
	return err
}

// OwnCorporate is a user's request. ClosedAt is nil while it waits; IsOwnClosing says that the user took it back.
type OwnCorporate struct {
	RequestID    int64      `db:"request_id"`
	Company      string     `db:"company"`
	Contact      string     `db:"contact"`
	RequestedAt  time.Time  `db:"requested_at"`
	ClosedAt     *time.Time `db:"closed_at"`
	IsOwnClosing bool       `db:"is_own_closing"`
}

var accountLatestCorporate = define(`select request_id, company, contact, requested_at, closed_at, is_own_closing
from account.latest_corporate(p_telegram_id => @p_telegram_id)`, false).reading()

// LatestCorporate reads the user's latest request, if there is one.
func (a Account) LatestCorporate(ctx context.Context, user atlas.TelegramID) ([]OwnCorporate, error) {
	return many[OwnCorporate](ctx, a.db, accountLatestCorporate, pgx.StrictNamedArgs{"p_telegram_id": int64(user)}, about(user))
}

type closedCorporate struct {
	RequestID int64 `db:"request_id"`
	IsReplay  bool  `db:"is_replay"`
}

var accountCancelCorporate = define(`select request_id, is_replay
from account.cancel_corporate(p_telegram_id => @p_telegram_id, p_request_id => @p_request_id)`, false)

// CancelCorporate takes the user's own request back.
func (a Account) CancelCorporate(ctx context.Context, user atlas.TelegramID, request int64) error {
	_, err := one[closedCorporate](ctx, a.db, accountCancelCorporate, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_request_id": request,
	}, about(user))
	return err
}

var accountCloseCorporate = define(`select request_id, is_replay
from account.close_corporate(p_admin_id => @p_admin_id, p_telegram_id => @p_telegram_id, p_request_id => @p_request_id)`, false)

// CloseCorporate notes that an admin has dealt with a user's request.
func (a Account) CloseCorporate(ctx context.Context, admin, user atlas.TelegramID, request int64) error {
	_, err := one[closedCorporate](ctx, a.db, accountCloseCorporate, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_telegram_id": int64(user), "p_request_id": request,
	}, byAdmin(admin, user))
	return err
}

// WaitingCorporate is a request that waits for the admins. Username may be empty.
type WaitingCorporate struct {
	RequestID   int64            `db:"request_id"`
	TelegramID  atlas.TelegramID `db:"telegram_id"`
	Username    string           `db:"username"`
	Company     string           `db:"company"`
	Contact     string           `db:"contact"`
	RequestedAt time.Time        `db:"requested_at"`
}

var accountListCorporate = define(`select request_id, telegram_id, coalesce(username, '') as username, company, contact,
  requested_at
from account.list_corporate(p_admin_id => @p_admin_id, p_limit => @p_limit)`, false).reading()

// ListCorporate reads the requests that wait, oldest first.
func (a Account) ListCorporate(ctx context.Context, admin atlas.TelegramID, limit int) ([]WaitingCorporate, error) {
	return many[WaitingCorporate](ctx, a.db, accountListCorporate, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_limit": limit,
	}, about(admin))
}
