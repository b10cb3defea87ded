package sqlapi

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

type checkedAdmin struct {
	TelegramID atlas.TelegramID `db:"telegram_id"`
}

var accountCheckAdmin = define(`select telegram_id
from account.check_admin(p_admin_id => @p_admin_id)`, false).reading()

// CheckAdmin refuses anybody who is not an admin now: atlas.ErrNotAnAdmin.
func (a Account) CheckAdmin(ctx context.Context, admin atlas.TelegramID) error {
	_, err := one[checkedAdmin](ctx, a.db, accountCheckAdmin, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
	return err
}

// ActionDraft is what an admin is about to do; it can be confirmed until ExpiresAt.
type ActionDraft struct {
	DraftID   atlas.DraftID `db:"draft_id"`
	ExpiresAt time.Time     `db:"expires_at"`
	IsReplay  bool          `db:"is_replay"`
}

var accountDraftAction = define(`select draft_id, expires_at, is_replay
from account.draft_action(p_admin_id => @p_admin_id, p_action => @p_action, p_arguments => @p_arguments,
  p_idempotency_key => @p_idempotency_key)`, false)

// DraftAction keeps what an admin is about to do, for the button that confirms it. The arguments become a JSON object.
func (a Account) DraftAction(
	ctx context.Context, admin atlas.TelegramID, action string, arguments any, key string,
) (ActionDraft, error) {
	encoded, err := json.Marshal(arguments)
	if err != nil {
		return ActionDraft{}, fmt.Errorf("encoding a draft: %w", err)
	}
	return one[ActionDraft](ctx, a.db, accountDraftAction, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_action": action, "p_arguments": encoded, "p_idempotency_key": key,
	}, about(admin))
}

// ShownAction is a drafted action. Arguments is the JSON object that it was drafted with.
type ShownAction struct {
	DraftID   atlas.DraftID   `db:"draft_id"`
	Action    string          `db:"action"`
	Arguments json.RawMessage `db:"arguments"`
	ExpiresAt time.Time       `db:"expires_at"`
	IsExpired bool            `db:"is_expired"`
	DraftedAt time.Time       `db:"drafted_at"`
}

var accountShowAction = define(`select draft_id, action, arguments, expires_at, is_expired, drafted_at
from account.show_action(p_admin_id => @p_admin_id, p_draft_id => @p_draft_id)`, false).reading()

// ShowAction reads an admin's own draft. atlas.ErrNoSuchDraft: it is unknown, or another admin's.
func (a Account) ShowAction(ctx context.Context, admin atlas.TelegramID, id atlas.DraftID) (ShownAction, error) {
	return one[ShownAction](ctx, a.db, accountShowAction, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_draft_id": string(id),
	}, aboutDraft(admin, id))
}
