package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/mymmrac/telego"

	"atlas-secure/internal/lease"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/telegram"
	"atlas-secure/internal/wait"
)

const (
	pollLease = "telegram.poll"
	// pollLeaseTTL: a poller that dies is followed by another within five seconds (one and a half of it, and a question).
	pollLeaseTTL = 3 * time.Second
	// pollWait is how long Telegram keeps a question open while there is nothing to tell.
	pollWait = 25 * time.Second
	// The longest of the growing pauses after errors.
	pollPauseMax = 15 * time.Second
)

// Poll is the intake without a webhook. Of all processes one polls, under a lease: two would get 409 from Telegram.
func (b *Bot) Poll(ctx context.Context) error {
	election := &lease.Election{
		Name: pollLease, Holder: b.Holder, TTL: pollLeaseTTL, Authority: b.DB.Ops, Filter: b.Filter, Log: b.Log,
	}
	election.Run(ctx, b.pollLoop)
	return nil
}

// pollLoop asks for updates and stores them, until the term ends. Only a later question with a higher offset makes Telegram
// forget them, so that nothing is lost wherever this stops; and what a poller that was paused stores late is there already.
func (b *Bot) pollLoop(ctx context.Context, term *lease.Term) {
	var offset int64
	failures := 0
	for ctx.Err() == nil && term.IsMine() { // a question of somebody whose time is over would throw the new poller out
		updates, err := b.Client.PollUpdates(ctx, offset, pollWait, updateKinds())
		if err == nil && len(updates) > 0 {
			err = b.take(ctx, updates)
		}
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			failures = 0
			b.outages.poll.Over(ctx)
			if len(updates) > 0 {
				offset = updates[len(updates)-1].ID + 1
			}
			continue
		}
		if isThrownOut(err) && !term.Confirm(ctx) {
			b.Log.WarnContext(ctx, "another process polls now: stepping back", obs.Operation("poll"), obs.Err(err))
			return
		}
		failures++
		rest := b.afterPollError(ctx, err, failures)
		b.outages.poll.Failed(ctx, "could not take updates in", err, slog.Duration("wait", rest))
		_ = wait.For(ctx, rest)
	}
}

// isThrownOut says whether another question for this bot's updates ended ours. With the lease still ours that is a bot with
// another database, or the end of an older question: a growing pause keeps the two from throwing each other out all the time.
func isThrownOut(err error) bool { return telegram.IsConflict(err) && !telegram.IsWebhookActive(err) }

// afterPollError mends what can be mended, and says how long to wait.
func (b *Bot) afterPollError(ctx context.Context, err error, failures int) time.Duration {
	if told := telegram.RetryAfter(err); told > 0 {
		return told
	}
	if telegram.IsWebhookActive(err) {
		if err := b.dropWebhook(ctx); err == nil {
			return 0
		}
	}
	return wait.Jittered(min(250*time.Millisecond<<min(failures, 10), pollPauseMax))
}

// dropWebhook takes a webhook away that an earlier configuration left. What waits at Telegram is kept.
func (b *Bot) dropWebhook(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	b.Log.WarnContext(ctx, "a webhook is set, but this bot polls: taking it away", obs.Operation("poll"))
	err := b.Client.DeleteWebhook(ctx, &telego.DeleteWebhookParams{DropPendingUpdates: false})
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("deleting the webhook: %w", err)
	}
	return err
}
