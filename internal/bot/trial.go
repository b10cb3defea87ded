package bot

import (
	"context"
	"errors"
	"fmt"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/limit"
)

// trial says what a trial is, or why there is none for this person.
func (b *Bot) trial(ctx context.Context, r *request) (screen.Screen, error) {
	offer, err := b.DB.Subscription.TrialOffer(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the trial's offer: %w", err)
	}
	return screen.Trial(r.text, offer), nil
}

// startTrial begins it. Whoever presses twice sees the trial that the first press has begun.
func (b *Bot) startTrial(ctx context.Context, r *request) (screen.Screen, error) {
	current, err := b.DB.Subscription.Current(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the subscription: %w", err)
	}
	if current.Status == atlas.TrialSubscription && r.attempt == 1 {
		return screen.TrialRuns(r.text, current), nil
	}
	offer, err := b.DB.Subscription.TrialOffer(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the trial's offer: %w", err)
	}
	if r.attempt == 1 { // a later one may find that the first has done it
		if offer.Refusal != "" { // costs no attempt
			return screen.Trial(r.text, offer), nil
		}
		if err := b.attempt(ctx, r, limit.Trial); err != nil {
			return screen.Screen{}, err
		}
	}
	started, err := b.DB.Subscription.StartTrial(ctx, r.user, r.key("trial"))
	if refusal := (*atlas.Error)(nil); errors.As(err, &refusal) && !isPassing(err) {
		offer.Refusal = refusal.Code
		return screen.Trial(r.text, offer), nil
	}
	if err != nil {
		return screen.Screen{}, fmt.Errorf("starting a trial: %w", err)
	}
	return screen.TrialStarted(r.text, offer.Tariff, started.ExpiresAt), nil
}
