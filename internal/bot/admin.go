package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/sqlapi"
)

// errNotForYou means that somebody without rights asked for what only admins have: they see what a mistyped command or an
// outdated button gives, and no more.
var errNotForYou = errors.New("not an admin")

// forAdmins wraps a handler. Whether somebody is an admin is for the database to say: here, before anything is shown, and
// again in each function that the handler calls. An admin's attempts are counted; a refusal is made to look like nothing.
func (b *Bot) forAdmins(handle handler) handler {
	return func(ctx context.Context, r *request) (screen.Screen, error) {
		err := b.DB.Account.CheckAdmin(ctx, r.user)
		if err == nil {
			err = b.attempt(ctx, r, limit.Admin)
		}
		var s screen.Screen
		if err == nil {
			s, err = handle(ctx, r)
		}
		if errors.Is(err, atlas.ErrNotAnAdmin) {
			return screen.Screen{}, fmt.Errorf("%w: %w", errNotForYou, err)
		}
		return s, err
	}
}

// adminMenu shows what waits for the admins.
func (b *Bot) adminMenu(ctx context.Context, r *request) (screen.Screen, error) {
	d, err := b.DB.Ops.Dashboard(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the dashboard: %w", err)
	}
	return screen.AdminMenu(r.text, d), nil
}

// draftAction keeps what an admin is about to do; the confirm screen's button carries the draft's id. The same update
// drafts the same once.
func (b *Bot) draftAction(ctx context.Context, r *request, action string, arguments any) (sqlapi.ActionDraft, error) {
	drafted, err := b.DB.Account.DraftAction(ctx, r.user, action, arguments, r.key(action))
	if err != nil {
		return drafted, fmt.Errorf("drafting %s: %w", action, err)
	}
	return drafted, nil
}

// errDraftOver means that a confirm button was pressed when it was too late.
var errDraftOver = errors.New("the draft is over")

// confirmed reads the draft that a confirm button carries, into what its action needs. The key makes the action happen
// once, however often the button is pressed.
func (b *Bot) confirmed(ctx context.Context, r *request, action string, into any) (key string, err error) {
	id, err := r.draft()
	if err != nil {
		return "", err
	}
	drafted, err := b.DB.Account.ShowAction(ctx, r.user, id)
	switch {
	case err != nil:
		return "", fmt.Errorf("reading a draft: %w", err)
	case drafted.Action != action:
		return "", errOldButton
	case drafted.IsExpired:
		return "", errDraftOver
	}
	if err := json.Unmarshal(drafted.Arguments, into); err != nil {
		return "", fmt.Errorf("reading a draft: %w", err)
	}
	return "draft:" + string(id), nil
}
