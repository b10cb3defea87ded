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
	var beside screen.HistoryPages
	if len(lines) > screen.HistoryPage {
		lines = lines[:screen.HistoryPage]
		beside.Older = lines[len(lines)-1].Version
	}
	if before > 0 && len(lines) > 0 {
		if beside.Newer, err = b.newerHistory(ctx, r, lines[0].Version); err != nil {
			return screen.Screen{}, err
		}
	}
	return screen.History(r.text, lines, beside), nil
}

// newerHistory is where the page of movements after a version begins, or 0 if that is the newest. Versions count 1, 2, 3 …
// without a gap.
func (b *Bot) newerHistory(ctx context.Context, r *request, newest int64) (int64, error) {
	balance, err := b.DB.Wallet.Balance(ctx, r.user)
	if err != nil {
		return 0, fmt.Errorf("reading the balance: %w", err)
	}
	if balance.Version <= newest {
		return 0, nil
	}
	return newest + 1 + screen.HistoryPage, nil
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
