package bot

import (
	"context"
	"errors"
	"fmt"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

// What admins draft about everybody's keys.
const (
	reissueAllAction  = "reissue_all"
	reissueStopAction = "reissue_stop"
)

func (b *Bot) adminVPNRoutes() []route {
	return []route{
		{verb: screen.VerbVPNKeys, handle: b.vpnKeys},
		{verb: screen.VerbReissueAll, handle: b.reissueAllAsk},
		{verb: screen.VerbReissueAllYes, handle: b.reissueAllConfirmed},
		{verb: screen.VerbReissueStop, handle: b.reissueStopAsk},
		{verb: screen.VerbReissueStopYes, handle: b.reissueStopConfirmed},
	}
}

// reissueStopArgs is which request is to be stopped.
type reissueStopArgs struct {
	RequestID int64 `json:"request_id"`
}

// vpnKeys shows how it is about keys, and how far a new key for everybody is.
func (b *Bot) vpnKeys(ctx context.Context, r *request) (screen.Screen, error) {
	last, err := b.lastReissue(ctx, r)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.drawVPNKeys(ctx, r, last, "")
}

// lastReissue is the open request that everybody be given a new key, or the last; nil before the first.
func (b *Bot) lastReissue(ctx context.Context, r *request) (*sqlapi.MassReissue, error) {
	last, isThere, err := b.DB.VPN.ShowReissue(ctx, r.user)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading how far a new key for everybody is: %w", err)
	case !isThere:
		return nil, nil //nolint:nilnil // there is none, and that is all right
	}
	return &last, nil
}

func (b *Bot) drawVPNKeys(ctx context.Context, r *request, last *sqlapi.MassReissue, toast string) (screen.Screen, error) {
	now, err := b.DB.VPN.Overview(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading how it is about keys: %w", err)
	}
	s := screen.VPNKeys(r.text, now, last)
	s.Toast = toast
	return s, nil
}

// reissueAllAsk asks before everybody is given a new key.
func (b *Bot) reissueAllAsk(ctx context.Context, r *request) (screen.Screen, error) {
	last, err := b.lastReissue(ctx, r)
	if err != nil {
		return screen.Screen{}, err
	}
	if last != nil && last.IsOpen() {
		return b.drawVPNKeys(ctx, r, last, screen.ReissueUnderWay(r.text, *last))
	}
	now, err := b.DB.VPN.Overview(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading how it is about keys: %w", err)
	}
	drafted, err := b.draftAction(ctx, r, reissueAllAction, struct{}{})
	if err != nil {
		return screen.Screen{}, err
	}
	return screen.ConfirmReissueAll(r.text, now, drafted.DraftID), nil
}

// reissueAllConfirmed has it done, and shows how far it is: this admin's request, or that of another who was faster.
func (b *Bot) reissueAllConfirmed(ctx context.Context, r *request) (screen.Screen, error) {
	var drafted struct{}
	key, err := b.confirmed(ctx, r, reissueAllAction, &drafted)
	if err != nil {
		return screen.Screen{}, err
	}
	requested, failure := b.DB.VPN.ReissueAll(ctx, r.user, key)
	isLate := errors.Is(failure, atlas.ErrReissueUnderWay)
	if failure != nil && !isLate {
		return screen.Screen{}, fmt.Errorf("asking for a new key for everybody: %w", failure)
	}
	last, err := b.lastReissue(ctx, r)
	if err != nil {
		return screen.Screen{}, err
	}
	toast := r.text.Plain("alert.vpn_started")
	switch {
	case isLate && last != nil:
		toast = screen.ReissueUnderWay(r.text, *last)
	case requested.IsReplay:
		toast = r.text.Plain("alert.done_already")
	}
	return b.drawVPNKeys(ctx, r, last, toast)
}

// reissueStopAsk asks before it is stopped.
func (b *Bot) reissueStopAsk(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	last, err := b.lastReissue(ctx, r)
	switch {
	case err != nil:
		return screen.Screen{}, err
	case last == nil || last.RequestID != id:
		return b.drawVPNKeys(ctx, r, last, "")
	case !last.IsOpen():
		return b.drawVPNKeys(ctx, r, last, screen.ReissueEnded(r.text, *last))
	}
	drafted, err := b.draftAction(ctx, r, reissueStopAction, reissueStopArgs{RequestID: id})
	if err != nil {
		return screen.Screen{}, err
	}
	return screen.ConfirmReissueStop(r.text, *last, drafted.DraftID), nil
}

// reissueStopConfirmed stops it, unless it has ended meanwhile.
func (b *Bot) reissueStopConfirmed(ctx context.Context, r *request) (screen.Screen, error) {
	var drafted reissueStopArgs
	if _, err := b.confirmed(ctx, r, reissueStopAction, &drafted); err != nil {
		return screen.Screen{}, err
	}
	ended, err := b.DB.VPN.CancelReissue(ctx, r.user, drafted.RequestID)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("stopping a new key for everybody: %w", err)
	}
	last, err := b.lastReissue(ctx, r)
	if err != nil {
		return screen.Screen{}, err
	}
	toast := r.text.Plain("alert.vpn_stopped")
	if ended.IsReplay && last != nil && last.RequestID == ended.RequestID {
		toast = screen.ReissueEnded(r.text, *last)
	}
	return b.drawVPNKeys(ctx, r, last, toast)
}
