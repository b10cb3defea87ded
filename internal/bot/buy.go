package bot

import (
	"context"
	"fmt"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sqlapi"
)

func (b *Bot) buy(ctx context.Context, r *request) (screen.Screen, error) {
	prices, err := b.DB.Billing.ListPrices(ctx)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading prices: %w", err)
	}
	return screen.Tariffs(r.text, prices), nil
}

func (b *Bot) tariff(ctx context.Context, r *request) (screen.Screen, error) {
	prices, offer, err := b.offer(ctx, r)
	if err != nil {
		return screen.Screen{}, err
	}
	return screen.Plans(r.text, prices, offer.Tariff), nil
}

// offer finds what a button offers among what is on sale now.
func (b *Bot) offer(ctx context.Context, r *request) ([]sqlapi.Price, sqlapi.Price, error) {
	prices, err := b.DB.Billing.ListPrices(ctx)
	if err != nil {
		return nil, sqlapi.Price{}, fmt.Errorf("reading prices: %w", err)
	}
	for _, price := range prices {
		if string(price.OfferID) == r.argument {
			return prices, price, nil
		}
	}
	return nil, sqlapi.Price{}, errOldButton
}

// openPurchase fixes the price of a plan and draws the confirm screen. From here on buttons carry the purchase's id.
func (b *Bot) openPurchase(ctx context.Context, r *request) (screen.Screen, error) {
	_, offer, err := b.offer(ctx, r)
	if err != nil {
		return screen.Screen{}, err
	}
	plan := atlas.Plan{Tariff: offer.Tariff, Months: offer.Months}
	opened, err := b.DB.Billing.OpenPurchase(ctx, sqlapi.OpenPurchaseParams{
		TelegramID: r.user, Plan: plan, Key: r.key("open"),
	})
	if err != nil {
		return screen.Screen{}, fmt.Errorf("opening a purchase: %w", err)
	}
	return b.drawPurchase(ctx, r, opened.PurchaseID)
}

func (b *Bot) showPurchase(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.purchase()
	if err != nil {
		return screen.Screen{}, err
	}
	return b.drawPurchase(ctx, r, id)
}

// checkPurchase looks whether a payment made elsewhere has arrived.
func (b *Bot) checkPurchase(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.purchase()
	if err != nil {
		return screen.Screen{}, err
	}
	p, err := b.DB.Billing.ShowPurchase(ctx, r.user, id)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the purchase: %w", err)
	}
	if p.Status == atlas.PurchaseOpen {
		return screen.Screen{Toast: r.text.Plain("alert.not_paid_yet")}, nil
	}
	return screen.Purchase(r.text, p, screen.WaysToPay{}, 0), nil
}

// cancelPurchase closes a purchase that nobody will pay, and goes back to where it was chosen.
func (b *Bot) cancelPurchase(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.purchase()
	if err != nil {
		return screen.Screen{}, err
	}
	if _, err := b.DB.Billing.CancelPurchase(ctx, r.user, id); err != nil {
		return screen.Screen{}, fmt.Errorf("cancelling the purchase: %w", err)
	}
	s, err := b.drawPurchase(ctx, r, id)
	s.Toast = r.text.Plain("alert.cancelled")
	return s, err
}

// drawPurchase reads a purchase as it is now, and what its screen needs beside.
func (b *Bot) drawPurchase(ctx context.Context, r *request, id atlas.PurchaseID) (screen.Screen, error) {
	p, err := b.DB.Billing.ShowPurchase(ctx, r.user, id)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the purchase: %w", err)
	}
	if p.Status != atlas.PurchaseOpen {
		return screen.Purchase(r.text, p, screen.WaysToPay{}, 0), nil
	}
	ways, err := b.waysToPay(ctx, r, p)
	if err != nil {
		return screen.Screen{}, err
	}
	balance, err := b.DB.Wallet.Balance(ctx, r.user)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the balance: %w", err)
	}
	return screen.Purchase(r.text, p, ways, balance.Available), nil
}

// waysToPay are those that the database offers and this process is configured for.
func (b *Bot) waysToPay(ctx context.Context, r *request, p sqlapi.Purchase) (screen.WaysToPay, error) {
	offers, err := b.DB.Billing.WaysToPay(ctx, r.user, p.PurchaseID)
	if err != nil {
		return screen.WaysToPay{}, fmt.Errorf("reading the ways to pay: %w", err)
	}
	ways := screen.WaysToPay{Balance: p.Kind == atlas.SubscriptionPurchase}
	for _, offer := range offers {
		if !offer.IsOffered {
			continue
		}
		switch atlas.Provider(offer.Provider) {
		case atlas.CryptoBot:
			ways.Crypto = b.Crypto != nil
		case atlas.TelegramStars:
			ways.Stars = offer.AmountMinor
		case atlas.TelegramCard:
			ways.Card = b.CardToken.IsSet()
		default: // a way that this release does not know
		}
	}
	return ways, nil
}
