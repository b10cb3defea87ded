package bot

import (
	"context"
	"fmt"
	"strconv"

	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/limit"
)

// reissue asks whether the old key may stop working. The button carries this question's number, so that however often and
// wherever it is pressed, there is one new key for one question.
func (b *Bot) reissue(ctx context.Context, r *request) (screen.Screen, error) {
	subscription, err := b.DB.Subscription.Current(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the subscription: %w", err)
	}
	return screen.AskReissue(r.text, subscription, strconv.FormatInt(r.updateID, 10)), nil
}

// reissueNow replaces the key, and shows how the new one is.
func (b *Bot) reissueNow(ctx context.Context, r *request) (screen.Screen, error) {
	question, err := strconv.ParseInt(r.argument, 10, 64)
	if err != nil || question < 1 {
		return screen.Screen{}, errOldButton
	}
	if r.attempt == 1 { // a later one may find that the first has done it
		if err := b.attempt(ctx, r, limit.Reissue, screen.ToKey(r.text)); err != nil {
			return screen.Screen{}, err
		}
	}
	if _, err := b.DB.VPN.Reissue(ctx, r.user, 0, fmt.Sprintf("reissue:%d", question)); err != nil {
		return screen.Screen{}, fmt.Errorf("asking for a new key: %w", err)
	}
	subscription, err := b.DB.Subscription.Current(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the subscription: %w", err)
	}
	return screen.Reissued(r.text, subscription), nil
}
