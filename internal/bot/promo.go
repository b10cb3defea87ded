package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// promoDraft is what the promo dialogue remembers: what was typed, which the database looks at again when the purchase is
// opened, and the purchase that the code was asked for from, or that was opened with it.
type promoDraft struct {
	Code       string           `json:"code,omitempty"`
	PurchaseID atlas.PurchaseID `json:"purchase_id,omitempty"`
}

// askPromo asks for a code: for any plan, or for that of a purchase whose confirm screen was left for it.
func (b *Bot) askPromo(ctx context.Context, r *request) (screen.Screen, error) {
	var draft promoDraft
	if r.argument != "" {
		var err error
		if draft.PurchaseID, err = r.purchase(); err != nil {
			return screen.Screen{}, err
		}
	}
	if err := b.Dialogues.Begin(ctx, int64(r.user), promoDialogue, promoCode.name, draft); err != nil {
		b.Log.WarnContext(ctx, "could not begin a dialogue", obs.Operation(r.operation), obs.Err(err))
		return screen.CannotAsk(r.text, screen.VerbBuy), nil
	}
	return screen.AskPromo(r.text, draft.PurchaseID), nil
}

// promoTyped looks at the code. One that cannot be used is asked for again.
func (b *Bot) promoTyped(ctx context.Context, r *request) (screen.Screen, error) {
	draft, err := promoDraftOf(r)
	if err != nil {
		return screen.Screen{}, err
	}
	draft.Code = strings.ReplaceAll(strings.ToValidUTF8(r.argument, "?"), "\x00", "?") // what no database takes is no code
	if err := b.attempt(ctx, r, limit.Promo); err != nil {
		return screen.Screen{}, err
	}
	if draft.PurchaseID != "" {
		return b.promoForPurchase(ctx, r, draft)
	}
	promo, err := b.DB.Promo.Validate(ctx, r.user, draft.Code)
	if code := badPromo(err); code != "" {
		return screen.WrongPromo(r.text, code, ""), nil
	}
	if err != nil {
		return screen.Screen{}, fmt.Errorf("looking at a promo code: %w", err)
	}
	draft.Code = promo.Code
	if err := b.advance(ctx, r, promoPlan, draft); err != nil {
		return screen.Screen{}, err
	}
	return b.drawPromo(ctx, r, promo)
}

// promoForPurchase opens the plan of a purchase once more, with the code. The purchase itself stays as it is.
func (b *Bot) promoForPurchase(ctx context.Context, r *request, draft promoDraft) (screen.Screen, error) {
	p, err := b.DB.Billing.ShowPurchase(ctx, r.user, draft.PurchaseID)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the purchase: %w", err)
	}
	s, _, err := b.openWithPromo(ctx, r, atlas.Plan{Tariff: p.Tariff, Months: p.Months}, draft.Code)
	if code := badPromo(err); code != "" {
		return screen.WrongPromo(r.text, code, draft.PurchaseID), nil
	}
	r.isOver = err == nil
	return s, err
}

// promoWaits answers words where a plan is waited for.
func (b *Bot) promoWaits(ctx context.Context, r *request) (screen.Screen, error) {
	draft, err := promoDraftOf(r)
	if err != nil {
		return screen.Screen{}, err
	}
	promo, err := b.DB.Promo.Validate(ctx, r.user, draft.Code)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("looking at a promo code: %w", err)
	}
	return b.drawPromo(ctx, r, promo)
}

func (b *Bot) drawPromo(ctx context.Context, r *request, promo sqlapi.PromoCode) (screen.Screen, error) {
	prices, err := b.DB.Billing.ListPrices(ctx)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading prices: %w", err)
	}
	return screen.PromoTariffs(r.text, prices, promo), nil
}

// promoTariffs goes back to the tariffs.
func (b *Bot) promoTariffs(ctx context.Context, r *request) (screen.Screen, error) {
	if !r.isAt(promoPlan) {
		return b.promoStands(ctx, r)
	}
	return b.promoWaits(ctx, r)
}

func (b *Bot) promoTariff(ctx context.Context, r *request) (screen.Screen, error) {
	if !r.isAt(promoPlan) {
		return b.promoStands(ctx, r)
	}
	draft, err := promoDraftOf(r)
	if err != nil {
		return screen.Screen{}, err
	}
	prices, offer, err := b.offer(ctx, r)
	if err != nil {
		return screen.Screen{}, err
	}
	return screen.PromoPlans(r.text, prices, offer.Tariff, draft.Code), nil
}

// promoPurchase fixes the price of a plan with the code.
func (b *Bot) promoPurchase(ctx context.Context, r *request) (screen.Screen, error) {
	if !r.isAt(promoPlan) {
		return b.promoStands(ctx, r)
	}
	draft, err := promoDraftOf(r)
	if err != nil {
		return screen.Screen{}, err
	}
	_, offer, err := b.offer(ctx, r)
	if err != nil {
		return screen.Screen{}, err
	}
	s, id, err := b.openWithPromo(ctx, r, atlas.Plan{Tariff: offer.Tariff, Months: offer.Months}, draft.Code)
	if err != nil {
		return screen.Screen{}, err
	}
	return s, b.advance(ctx, r, promoOpened, promoDraft{Code: draft.Code, PurchaseID: id})
}

// promoStands shows where the dialogue stands when a plan was pressed elsewhere: the purchase was opened already, by
// another device or a second press, or the code is forgotten.
func (b *Bot) promoStands(ctx context.Context, r *request) (screen.Screen, error) {
	if draft, err := promoDraftOf(r); err == nil && r.isAt(promoOpened) {
		return b.drawPurchase(ctx, r, draft.PurchaseID)
	}
	r.isOver = true
	return screen.StartAgain(r.text), nil
}

// promoOver answers words where nothing is asked any more.
func (b *Bot) promoOver(_ context.Context, r *request) (screen.Screen, error) {
	r.isOver = true
	return screen.Unknown(r.text), nil
}

// openWithPromo opens a purchase and draws its confirm screen, with a word on which discount won.
func (b *Bot) openWithPromo(
	ctx context.Context, r *request, plan atlas.Plan, code string,
) (screen.Screen, atlas.PurchaseID, error) {
	opened, err := b.DB.Billing.OpenPurchase(ctx, sqlapi.OpenPurchaseParams{
		TelegramID: r.user, Plan: plan, PromoCode: code, Key: r.key("open"),
	})
	if err != nil {
		return screen.Screen{}, "", fmt.Errorf("opening a purchase with a promo code: %w", err)
	}
	s, err := b.drawPurchase(ctx, r, opened.PurchaseID)
	return screen.WithPromo(r.text, s, opened), opened.PurchaseID, err
}

func promoDraftOf(r *request) (promoDraft, error) {
	var draft promoDraft
	if r.dialogue == nil {
		return draft, errOldButton
	}
	if err := r.dialogue.Draft(&draft); err != nil {
		return draft, fmt.Errorf("reading the dialogue: %w", err)
	}
	return draft, nil
}

// badPromo is the code of the refusal if it is the promo code that cannot be used.
func badPromo(err error) string {
	for _, bad := range []*atlas.Error{
		atlas.ErrNoSuchPromo, atlas.ErrPromoExpired, atlas.ErrPromoUsedUp, atlas.ErrPromoDisabled,
		atlas.ErrPromoUserLimit, atlas.ErrPromoMalformed,
	} {
		if errors.Is(err, bad) {
			return bad.Code
		}
	}
	return ""
}
