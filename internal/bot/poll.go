package bot

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/mymmrac/telego"

	"atlas-secure/internal/obs"
	"atlas-secure/internal/telegram"
)

const (
	pollLease = "telegram.poll"
	// pollLeaseTTL and pollRenewEvery: a poller that dies is followed by another within five seconds.
	pollLeaseTTL   = 4 * time.Second
	pollRenewEvery = time.Second
	// pollWait is how long Telegram keeps a question open while there is nothing to tell.
	pollWait = 25 * time.Second
	// The longest of the growing pauses after errors.
	pollPauseMax = 15 * time.Second
)

// Poll is the intake without a webhook. Of all processes one polls, under a lease: two would get 409 from Telegram.
func (b *Bot) Poll(ctx context.Context) error {
	for ctx.Err() == nil {
		held, err := b.DB.Ops.AcquireLease(ctx, pollLease, b.Holder, pollLeaseTTL)
		switch {
		case err != nil && ctx.Err() == nil:
			b.Log.WarnContext(ctx, "could not ask for the poll lease", obs.Operation("poll"), obs.Err(err))
			pause(ctx, outageDelay)
		case err == nil && held != nil:
			b.pollUnderLease(ctx)
		default:
			pause(ctx, pollRenewEvery)
		}
	}
	return nil
}

// pollUnderLease polls until the lease is lost or ctx ends, and gives the lease up.
func (b *Bot) pollUnderLease(ctx context.Context) {
	b.Log.InfoContext(ctx, "polling", obs.Operation("poll"))
	leased, lose := context.WithCancel(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		defer lose()
		b.keepPollLease(leased)
	}()
	b.pollLoop(leased)
	lose()
	<-renewed
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if _, err := b.DB.Ops.ReleaseLease(last, pollLease, b.Holder); err != nil {
		b.Log.WarnContext(last, "could not give the poll lease up", obs.Operation("poll"), obs.Err(err))
	}
	b.Log.InfoContext(last, "stopped polling", obs.Operation("poll"))
}

// keepPollLease renews the lease until ctx ends, somebody else has it, or it has run out unrenewed.
func (b *Bot) keepPollLease(ctx context.Context) {
	validUntil := time.Now().Add(pollLeaseTTL)
	for {
		pause(ctx, pollRenewEvery)
		if ctx.Err() != nil {
			return
		}
		asked := time.Now()
		bounded, cancel := context.WithDeadline(ctx, validUntil)
		held, err := b.DB.Ops.AcquireLease(bounded, pollLease, b.Holder, pollLeaseTTL)
		cancel()
		switch {
		case err == nil && held == nil:
			b.Log.WarnContext(ctx, "the poll lease is lost", obs.Operation("poll"))
			return
		case err == nil:
			validUntil = asked.Add(pollLeaseTTL)
		case ctx.Err() == nil && time.Now().After(validUntil):
			b.Log.WarnContext(ctx, "the poll lease ran out", obs.Operation("poll"), obs.Err(err))
			return
		}
	}
}

// pollLoop asks for updates and stores them. Only a later question with a higher offset makes Telegram forget them, so
// that nothing is lost wherever this stops.
func (b *Bot) pollLoop(ctx context.Context) {
	var offset int64
	failures := 0
	for ctx.Err() == nil {
		updates, err := b.Client.PollUpdates(ctx, offset, pollWait, updateKinds())
		if err == nil && len(updates) > 0 {
			err = b.take(ctx, updates)
		}
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			failures = 0
			if len(updates) > 0 {
				offset = updates[len(updates)-1].ID + 1
			}
			continue
		}
		failures++
		wait := b.afterPollError(ctx, err, failures)
		b.Log.WarnContext(ctx, "could not take updates in", obs.Operation("poll"), obs.Outcome(obs.OutcomeFailed), obs.Err(err), "wait", wait)
		pause(ctx, wait)
	}
}

// afterPollError mends what can be mended, and says how long to wait.
func (b *Bot) afterPollError(ctx context.Context, err error, failures int) time.Duration {
	if wait := telegram.RetryAfter(err); wait > 0 {
		return wait
	}
	if telegram.IsWebhookActive(err) {
		if err := b.dropWebhook(ctx); err == nil {
			return 0
		}
	}
	return jittered(min(250*time.Millisecond<<min(failures, 10), pollPauseMax))
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

// jittered spreads pauses over half to the whole of d.
func jittered(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1) //nolint:gosec // spreading, not secrecy
}
