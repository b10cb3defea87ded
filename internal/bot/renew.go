package bot

import (
	"context"
	"errors"
	"fmt"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

// renew opens the plan of the last purchase once more; who has bought nothing yet, or what is no longer sold, chooses.
func (b *Bot) renew(ctx context.Context, r *request) (screen.Screen, error) {
	last, err := b.DB.Subscription.Renewal(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the renewal: %w", err)
	}
	if !last.IsSold {
		return b.buy(ctx, r)
	}
	opened, err := b.DB.Billing.OpenPurchase(ctx, sqlapi.OpenPurchaseParams{
		TelegramID: r.user, Plan: atlas.Plan{Tariff: last.Tariff, Months: last.Months}, Key: r.key("renew"),
	})
	if err != nil {
		return screen.Screen{}, fmt.Errorf("opening a purchase: %w", err)
	}
	return b.drawPurchase(ctx, r, opened.PurchaseID)
}

// renewal says what auto-renewal means and what it would take, and switches it.
func (b *Bot) renewal(ctx context.Context, r *request) (screen.Screen, error) {
	renewal, err := b.DB.Subscription.Renewal(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the renewal: %w", err)
	}
	return screen.Renewal(r.text, renewal), nil
}

// setRenewal switches to what the button says, however often it is pressed.
func (b *Bot) setRenewal(ctx context.Context, r *request) (screen.Screen, error) {
	if r.argument != screen.RenewalOn && r.argument != screen.RenewalOff {
		return screen.Screen{}, errOldButton
	}
	isOn, err := b.DB.Subscription.SetAutoRenew(ctx, r.user, r.argument == screen.RenewalOn)
	if errors.Is(err, atlas.ErrNoSubscription) {
		return b.renewal(ctx, r) // which says that there is nothing to renew
	}
	if err != nil {
		return screen.Screen{}, fmt.Errorf("switching auto-renewal: %w", err)
	}
	s, err := b.renewal(ctx, r)
	s.Toast = r.text.Plain("alert.renewal_off")
	if isOn {
		s.Toast = r.text.Plain("alert.renewal_on")
	}
	return s, err
}
