package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
)

// userHistory shows a page of a user's movements of money with the notes of admins: the newest, or those before the version
// that the button carries.
func (b *Bot) userHistory(ctx context.Context, r *request) (screen.Screen, error) {
	number, version, _ := strings.Cut(r.argument, ":")
	id, err := telegramID(number)
	if err != nil {
		return screen.Screen{}, err
	}
	var before int64
	if version != "" {
		if before, err = strconv.ParseInt(version, 10, 64); err != nil || before < 1 {
			return screen.Screen{}, errOldButton
		}
	}
	card, err := b.DB.Account.Card(ctx, r.user, id)
	if errors.Is(err, atlas.ErrNoSuchUser) {
		return screen.NobodyFound(r.text), nil
	}
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading a user: %w", err)
	}
	lines, err := b.DB.Wallet.Statement(ctx, id, screen.UserPage+1, before)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the statement: %w", err)
	}
	return screen.UserHistory(r.text, card, lines, before == 0), nil
}

// userPurchases shows a page of what a user has bought: the newest, or those before the purchase that the button carries.
func (b *Bot) userPurchases(ctx context.Context, r *request) (screen.Screen, error) {
	number, rest, _ := strings.Cut(r.argument, ":")
	id, err := telegramID(number)
	if err != nil {
		return screen.Screen{}, err
	}
	var before atlas.PurchaseID
	if rest != "" {
		if before, err = atlas.ParsePurchaseID(rest); err != nil {
			return screen.Screen{}, errOldButton
		}
	}
	purchases, err := b.DB.Billing.ListPurchases(ctx, r.user, id, before, screen.PurchasesPage+1)
	if errors.Is(err, atlas.ErrNoSuchUser) {
		return screen.NobodyFound(r.text), nil
	}
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading purchases: %w", err)
	}
	card, err := b.DB.Account.Card(ctx, r.user, id)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading a user: %w", err)
	}
	return screen.UserPurchases(r.text, card, purchases, before == ""), nil
}
