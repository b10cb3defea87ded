package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

// broadcastRoutes is what admins do with broadcasts that are written already.
func (b *Bot) broadcastRoutes() []route {
	return []route{
		{verb: screen.VerbBroadcasts, handle: b.broadcasts},
		{verb: screen.VerbBroadcastList, handle: b.broadcastList},
		{verb: screen.VerbBroadcast, handle: b.broadcastCard},
		{verb: screen.VerbBroadcastSee, handle: b.broadcastSee},
		{verb: screen.VerbBroadcastPause, handle: b.broadcastPause},
		{verb: screen.VerbBroadcastResume, handle: b.broadcastResume},
		{verb: screen.VerbBroadcastStop, handle: b.broadcastStop},
		{verb: screen.VerbBroadcastCancel, handle: b.broadcastCancel},
	}
}

func (b *Bot) broadcasts(_ context.Context, r *request) (screen.Screen, error) {
	return screen.Broadcasts(r.text), nil
}

// broadcastList shows a page of the broadcasts in a state.
func (b *Bot) broadcastList(ctx context.Context, r *request) (screen.Screen, error) {
	state, from, isLater := strings.Cut(r.argument, ".")
	var before int64
	if isLater {
		var err error
		if before, err = strconv.ParseInt(from, 10, 64); err != nil || before < 1 {
			return screen.Screen{}, errOldButton
		}
	}
	if !slices.Contains([]string{screen.BroadcastsDraft, screen.BroadcastsRunning, screen.BroadcastsOver}, state) {
		return screen.Screen{}, errOldButton
	}
	page, err := b.DB.Broadcast.List(ctx, r.user, state, before, screen.BroadcastPage+1)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("listing broadcasts: %w", err)
	}
	hasOlder := len(page) > screen.BroadcastPage
	if hasOlder {
		page = page[:screen.BroadcastPage]
	}
	return screen.BroadcastList(r.text, state, page, hasOlder, !isLater), nil
}

// broadcastCard shows one, and how far it is.
func (b *Bot) broadcastCard(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.drawBroadcast(ctx, r, id)
}

func (b *Bot) drawBroadcast(ctx context.Context, r *request, id int64) (screen.Screen, error) {
	shown, err := b.showBroadcast(ctx, r, id)
	if err != nil {
		return screen.Screen{}, err
	}
	return screen.BroadcastCard(r.text, shown), nil
}

func (b *Bot) showBroadcast(ctx context.Context, r *request, id int64) (sqlapi.ShownBroadcast, error) {
	shown, err := b.DB.Broadcast.Show(ctx, r.user, id)
	if err != nil {
		return shown, fmt.Errorf("reading a broadcast: %w", err)
	}
	return shown, nil
}

// broadcastSee shows a text as people get it. Its button leads nowhere here, and says so.
func (b *Bot) broadcastSee(ctx context.Context, r *request) (screen.Screen, error) {
	id, variant, _ := strings.Cut(r.argument, ".")
	variant, _, isTry := strings.Cut(variant, ".")
	r.argument = id
	number, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	if isTry {
		return screen.Screen{Toast: r.text.Plain("alert.bc_try")}, nil
	}
	shown, err := b.showBroadcast(ctx, r, number)
	if err != nil {
		return screen.Screen{}, err
	}
	if variant != "a" && (variant != "b" || shown.TextB == "") {
		return screen.Screen{}, errOldButton
	}
	return screen.BroadcastPreview(r.text, shown, variant), nil
}

func (b *Bot) broadcastPause(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	moved, err := b.DB.Broadcast.Pause(ctx, r.user, id)
	return b.broadcastMoved(ctx, r, id, moved, r.text.Plain("alert.bc_paused"), err)
}

func (b *Bot) broadcastResume(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	moved, err := b.DB.Broadcast.Start(ctx, r.user, id)
	return b.broadcastMoved(ctx, r, id, moved, r.text.Plain("alert.bc_resumed"), err)
}

// broadcastMoved shows a broadcast after somebody acted on it, and whether somebody else was faster.
func (b *Bot) broadcastMoved(
	ctx context.Context, r *request, id int64, moved sqlapi.MovedBroadcast, done string, failure error,
) (screen.Screen, error) {
	isLate := errors.Is(failure, atlas.ErrBroadcastState)
	if failure != nil && !isLate {
		return screen.Screen{}, fmt.Errorf("moving a broadcast: %w", failure)
	}
	shown, err := b.showBroadcast(ctx, r, id)
	if err != nil {
		return screen.Screen{}, err
	}
	s := screen.BroadcastCard(r.text, shown)
	s.Toast = done
	if isLate || moved.IsReplay && moved.MovedBy != r.user {
		s.Toast = screen.BroadcastAlready(r.text, shown)
	}
	return s, nil
}

// broadcastStopArgs is what a cancellation that waits for its confirmation is about.
type broadcastStopArgs struct {
	BroadcastID int64 `json:"broadcast_id"`
}

const actionBroadcastCancel = "broadcast_cancel"

// broadcastStop asks before a broadcast is ended for good.
func (b *Bot) broadcastStop(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	shown, err := b.showBroadcast(ctx, r, id)
	if err != nil {
		return screen.Screen{}, err
	}
	if shown.EndedAt != nil {
		s := screen.BroadcastCard(r.text, shown)
		s.Toast = screen.BroadcastAlready(r.text, shown)
		return s, nil
	}
	drafted, err := b.draftAction(ctx, r, actionBroadcastCancel, broadcastStopArgs{BroadcastID: id})
	if err != nil {
		return screen.Screen{}, err
	}
	return screen.ConfirmBroadcastCancel(r.text, shown, drafted.DraftID), nil
}

func (b *Bot) broadcastCancel(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.draft()
	if err != nil {
		return screen.Screen{}, err
	}
	var args broadcastStopArgs
	isLate, err := b.readAction(ctx, r, id, actionBroadcastCancel, &args)
	if err != nil {
		return screen.Screen{}, err
	}
	if isLate {
		return b.broadcastLate(ctx, r, args.BroadcastID)
	}
	moved, err := b.DB.Broadcast.Cancel(ctx, r.user, args.BroadcastID)
	return b.broadcastMoved(ctx, r, args.BroadcastID, moved, r.text.Plain("alert.bc_cancelled"), err)
}

// broadcastLate shows how a broadcast stands when a confirmation comes too late: it may have been given in time before.
func (b *Bot) broadcastLate(ctx context.Context, r *request, id int64) (screen.Screen, error) {
	s, err := b.drawBroadcast(ctx, r, id)
	s.Toast = r.text.Plain("alert.bc_late")
	return s, err
}
