package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

const actionBroadcastLaunch = "broadcast_launch"

// broadcastLaunchArgs is what a launch that waits for its confirmation is about. Hours count from when it was drafted.
type broadcastLaunchArgs struct {
	BroadcastID int64      `json:"broadcast_id"`
	MovedAt     *time.Time `json:"moved_at"` // as the broadcast stood then: who was faster is not overruled
	StartsAt    *time.Time `json:"starts_at"`
	Hours       int        `json:"hours"`
}

// at is when the broadcast is to begin. Nil: at once.
func (a broadcastLaunchArgs) at(draftedAt time.Time) *time.Time {
	if a.Hours == 0 {
		return a.StartsAt
	}
	at := draftedAt.Add(time.Duration(a.Hours) * time.Hour)
	return &at
}

// broadcastAskWhen asks when a draft, or a paused broadcast, is to begin. Without Redis there are only the buttons.
func (b *Bot) broadcastAskWhen(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	shown, err := b.showBroadcast(ctx, r, id)
	if err != nil {
		return screen.Screen{}, err
	}
	reason := screen.BroadcastWhenAsk
	err = b.Dialogues.Begin(ctx, int64(r.user), broadcastDialogue, broadcastWhen.name,
		broadcastDraft{UpdateID: r.updateID, BroadcastID: id})
	if err != nil {
		b.Log.WarnContext(ctx, "could not begin a dialogue", obs.Operation(r.operation), obs.Err(err))
		reason = screen.BroadcastWhenMute
	}
	return screen.AskBroadcastWhen(r.text, reason, shown), nil
}

// broadcastWhenTyped takes a date and a time in the zone of the admin's language.
func (b *Bot) broadcastWhenTyped(ctx context.Context, r *request) (screen.Screen, error) {
	var asked broadcastDraft
	if err := r.dialogue.Draft(&asked); err != nil {
		return screen.Screen{}, fmt.Errorf("reading the dialogue: %w", err)
	}
	shown, err := b.showBroadcast(ctx, r, asked.BroadcastID)
	if err != nil {
		return screen.Screen{}, err
	}
	now := time.Now()
	at, err := parseMoment(r.argument, now.In(r.text.Zone()))
	switch {
	case err != nil:
		return screen.AskBroadcastWhen(r.text, screen.BroadcastWhenWrong, shown), nil //nolint:nilerr // said to the admin
	case at.Before(now):
		return screen.AskBroadcastWhen(r.text, screen.BroadcastWhenPast, shown), nil
	case at.After(now.AddDate(1, 0, 0)):
		return screen.AskBroadcastWhen(r.text, screen.BroadcastWhenFar, shown), nil
	}
	r.isOver = true
	return b.draftLaunch(ctx, r, shown, broadcastLaunchArgs{StartsAt: &at})
}

// broadcastIn takes a time from a button: now, or in so many hours.
func (b *Bot) broadcastIn(ctx context.Context, r *request) (screen.Screen, error) {
	id, in, _ := strings.Cut(r.argument, ".")
	r.argument = id
	number, err := r.number(false)
	if err != nil {
		return screen.Screen{}, err
	}
	hours, err := strconv.Atoi(in)
	if err != nil || hours != 0 && !slices.Contains(screen.BroadcastHours, hours) {
		return screen.Screen{}, errOldButton
	}
	shown, err := b.showBroadcast(ctx, r, number)
	if err != nil {
		return screen.Screen{}, err
	}
	return b.draftLaunch(ctx, r, shown, broadcastLaunchArgs{Hours: hours})
}

// draftLaunch keeps what was decided and asks to confirm it.
func (b *Bot) draftLaunch(
	ctx context.Context, r *request, shown sqlapi.ShownBroadcast, args broadcastLaunchArgs,
) (screen.Screen, error) {
	args.BroadcastID, args.MovedAt = shown.BroadcastID, shown.MovedAt
	drafted, err := b.draftAction(ctx, r, actionBroadcastLaunch, args)
	if err != nil {
		return screen.Screen{}, err
	}
	at, err := b.launchTime(ctx, r, drafted.DraftID)
	if err != nil {
		return screen.Screen{}, err
	}
	return screen.ConfirmBroadcast(r.text, shown, at, drafted.DraftID), nil
}

// launchTime reads from a draft when its broadcast is to begin.
func (b *Bot) launchTime(ctx context.Context, r *request, id atlas.DraftID) (*time.Time, error) {
	drafted, err := b.DB.Account.ShowAction(ctx, r.user, id)
	if err != nil {
		return nil, fmt.Errorf("reading a draft: %w", err)
	}
	var args broadcastLaunchArgs
	if err := json.Unmarshal(drafted.Arguments, &args); err != nil {
		return nil, fmt.Errorf("reading a draft: %w", err)
	}
	return args.at(drafted.DraftedAt), nil
}

// broadcastLaunch is the confirmation: the broadcast goes out, or will at its time.
func (b *Bot) broadcastLaunch(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.draft()
	if err != nil {
		return screen.Screen{}, err
	}
	var args broadcastLaunchArgs
	isLate, err := b.readAction(ctx, r, id, actionBroadcastLaunch, &args)
	if err != nil {
		return screen.Screen{}, err
	}
	if isLate {
		return b.broadcastLate(ctx, r, args.BroadcastID)
	}
	at, err := b.launchTime(ctx, r, id)
	if err != nil {
		return screen.Screen{}, err
	}
	moved, err := b.DB.Broadcast.Launch(ctx, sqlapi.LaunchParams{
		AdminID: r.user, BroadcastID: args.BroadcastID, StartsAt: at, MovedAt: args.MovedAt,
	})
	return b.broadcastMoved(ctx, r, args.BroadcastID, moved, screen.BroadcastLaunched(r.text, at == nil), err)
}

var (
	errNoMoment = errors.New("no date and time")
	momentForm  = regexp.MustCompile(`^(?:(?:(\d{1,2})\.(\d{1,2})(?:\.(\d{4}))?|(\d{4})-(\d{1,2})-(\d{1,2}))[ ,T]+)?(\d{1,2}):(\d{2})$`)
)

// parseMoment reads "18:30" (the next one), "5.12 18:30" (the next one), "5.12.2026 18:30" or "2026-12-05 18:30" in the
// zone of now. A day that the calendar does not have, or a time that the clock skips, is an error.
func parseMoment(text string, now time.Time) (time.Time, error) {
	parts := momentForm.FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil {
		return time.Time{}, errNoMoment
	}
	n := func(of ...int) int {
		for _, i := range of {
			if value, err := strconv.Atoi(parts[i]); err == nil {
				return value
			}
		}
		return 0
	}
	day, month, year, hour, minute := n(1, 6), n(2, 5), n(3, 4), n(7), n(8)
	isNext := func(at time.Time) bool { return at.After(now) }
	of := func(year, month, day int) time.Time {
		return time.Date(year, time.Month(month), day, hour, minute, 0, 0, now.Location())
	}
	switch {
	case parts[1]+parts[6] == "": // only a time: today, or tomorrow
		year, month, day = now.Year(), int(now.Month()), now.Day()
		if !isNext(of(year, month, day)) {
			tomorrow := now.AddDate(0, 0, 1)
			year, month, day = tomorrow.Year(), int(tomorrow.Month()), tomorrow.Day()
		}
	case parts[3]+parts[4] == "": // this year, or the next
		if year = now.Year(); !isNext(of(year, month, day)) {
			year++
		}
	}
	at := of(year, month, day)
	if at.Year() != year || int(at.Month()) != month || at.Day() != day || at.Hour() != hour || at.Minute() != minute {
		return time.Time{}, errNoMoment
	}
	return at, nil
}
