package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

func (b *Bot) topup(ctx context.Context, r *request) (screen.Screen, error) {
	options, err := b.DB.Billing.TopupOptions(ctx)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading top-up options: %w", err)
	}
	return screen.Topup(r.text, options), nil
}

// topupPreset opens a top-up of one of the amounts on the screen. The button says which place, not how much.
func (b *Bot) topupPreset(ctx context.Context, r *request) (screen.Screen, error) {
	options, err := b.DB.Billing.TopupOptions(ctx)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading top-up options: %w", err)
	}
	place, err := strconv.Atoi(r.argument)
	if err != nil || place < 0 || place >= len(options.Presets) {
		return screen.Screen{}, errOldButton
	}
	return b.openTopup(ctx, r, options.Presets[place])
}

// topupDraft is what the top-up dialogue remembers: nothing, since its one answer is the amount.
type topupDraft struct{}

func (b *Bot) askAmount(ctx context.Context, r *request) (screen.Screen, error) {
	options, err := b.DB.Billing.TopupOptions(ctx)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading top-up options: %w", err)
	}
	if err := b.Dialogues.Begin(ctx, int64(r.user), topupDialogue, topupAmount.name, topupDraft{}); err != nil {
		b.Log.WarnContext(ctx, "could not begin a dialogue", obs.Operation(r.operation), obs.Err(err))
		return screen.CannotAsk(r.text, screen.VerbTopup), nil
	}
	return screen.AskAmount(r.text, options), nil
}

// topupTyped opens a top-up of the amount that was typed; whether it is in range is the database's to say.
func (b *Bot) topupTyped(ctx context.Context, r *request) (screen.Screen, error) {
	amount, err := parseAmount(r.argument)
	if err != nil {
		return b.askAgain(ctx, r, screen.WrongAmount)
	}
	s, err := b.openTopup(ctx, r, amount)
	if errors.Is(err, atlas.ErrTopupOutOfRange) {
		return b.askAgain(ctx, r, screen.AmountOutOfRange)
	}
	r.isOver = err == nil
	return s, err
}

func (b *Bot) askAgain(
	ctx context.Context, r *request, draw func(*i18n.Text, sqlapi.TopupOptions) screen.Screen,
) (screen.Screen, error) {
	options, err := b.DB.Billing.TopupOptions(ctx)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading top-up options: %w", err)
	}
	return draw(r.text, options), nil
}

func (b *Bot) openTopup(ctx context.Context, r *request, amount atlas.Kopecks) (screen.Screen, error) {
	opened, err := b.DB.Billing.OpenTopup(ctx, r.user, amount, r.key("topup"))
	if err != nil {
		return screen.Screen{}, fmt.Errorf("opening a top-up: %w", err)
	}
	return b.drawPurchase(ctx, r, opened.PurchaseID)
}

// parseAmount reads an amount of roubles as people type it: "1 500", "1500,50", "500 ₽", "500 руб", "500р.".
func parseAmount(text string) (atlas.Kopecks, error) {
	text = strings.ToLower(strings.Join(strings.FieldsFunc(text, unicode.IsSpace), ""))
	for _, unit := range []string{"₽", "рублей", "руб.", "руб", "р.", "р", "rub", "rur"} {
		if number, found := strings.CutSuffix(text, unit); found {
			text = number
			break
		}
	}
	amount, err := atlas.ParseDecimal(strings.ReplaceAll(text, ",", "."))
	if err != nil {
		return 0, fmt.Errorf("amount: %w", err)
	}
	if amount <= 0 || amount > atlas.MaxAmount {
		return 0, fmt.Errorf("amount: %w", atlas.ErrMalformedAmount)
	}
	return amount, nil
}
