package bot

import (
	"context"
	"fmt"
	"strconv"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
)

func (b *Bot) profile(ctx context.Context, r *request) (screen.Screen, error) {
	subscription, err := b.DB.Subscription.Current(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the subscription: %w", err)
	}
	balance, err := b.DB.Wallet.Balance(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the balance: %w", err)
	}
	return screen.Profile(r.text, int64(r.user), subscription, balance), nil
}

// history shows a page of movements: the newest, or those before the version that the button carries.
func (b *Bot) history(ctx context.Context, r *request) (screen.Screen, error) {
	var before int64
	if r.argument != "" {
		var err error
		if before, err = strconv.ParseInt(r.argument, 10, 64); err != nil || before < 1 {
			return screen.Screen{}, errOldButton
		}
	}
	lines, err := b.DB.Wallet.Statement(ctx, r.user, screen.HistoryPage+1, before)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the statement: %w", err)
	}
	var older int64
	if len(lines) > screen.HistoryPage {
		lines = lines[:screen.HistoryPage]
		older = lines[len(lines)-1].Version
	}
	return screen.History(r.text, lines, before == 0, older), nil
}

func (b *Bot) key(ctx context.Context, r *request) (screen.Screen, error) {
	subscription, err := b.DB.Subscription.Current(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the subscription: %w", err)
	}
	return screen.Key(r.text, subscription), nil
}

func (b *Bot) qr(ctx context.Context, r *request) (screen.Screen, error) {
	subscription, err := b.DB.Subscription.Current(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the subscription: %w", err)
	}
	if subscription.KeyURI == "" || subscription.Status == atlas.ExpiredSubscription {
		return screen.Key(r.text, subscription), nil
	}
	return screen.QR(r.text, subscription.KeyURI)
}
