package stars

import (
	"context"
	"errors"
	"fmt"

	"github.com/mymmrac/telego"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/telegram"
)

// RefundBooks is what a refund needs of schema billing.
type RefundBooks interface {
	BeginRefund(ctx context.Context, admin atlas.TelegramID, provider atlas.Provider, charge, reason string) (sqlapi.BegunRefund, error)
	ReversePayment(ctx context.Context, p sqlapi.ReversePaymentParams) (sqlapi.Reversal, error)
}

// What a refund may end in beside refusals of the database.
var (
	// ErrNoPayer means that the books do not say whom to give it back to.
	ErrNoPayer = errors.New("the books do not say who has paid it: see the payments of the period with `payments reconcile`")
	// ErrUnknown means that Telegram did not answer and cannot be asked. Refunding again is safe.
	ErrUnknown = errors.New("nobody knows whether Telegram has refunded it: run the same command again, Telegram refunds a charge once")
)

// Refund gives a payment in Stars back: noted, refunded by Telegram, taken back in the books. Wherever it stops, doing it
// again goes on from there: Telegram refunds a charge once, and so do the books. If the last step is missing, the update
// that Telegram sends to the bot, or `payments reconcile --apply`, makes it.
func Refund(
	ctx context.Context, books RefundBooks, api Telegram, admin atlas.TelegramID, charge, reason string,
) (sqlapi.Reversal, error) {
	begun, err := books.BeginRefund(ctx, admin, atlas.TelegramStars, charge, reason)
	if err != nil {
		return sqlapi.Reversal{}, fmt.Errorf("noting the refund: %w", err)
	}
	if begun.PayerID == 0 {
		return sqlapi.Reversal{}, fmt.Errorf("charge %s: %w", charge, ErrNoPayer)
	}
	if err := giveBack(ctx, api, begun.PayerID, charge); err != nil {
		return sqlapi.Reversal{}, err
	}
	reversed, err := books.ReversePayment(ctx, *reversal(charge, begun.AmountMinor))
	if err != nil {
		return sqlapi.Reversal{}, fmt.Errorf("telegram has refunded it, but the books do not say so yet; run the same command again: %w", err)
	}
	return reversed, nil
}

// giveBack has Telegram refund the charge, or finds that it has.
func giveBack(ctx context.Context, api Telegram, payer atlas.TelegramID, charge string) error {
	bounded, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	err := api.RefundStarPayment(bounded, &telego.RefundStarPaymentParams{UserID: int64(payer), TelegramPaymentChargeID: charge})
	switch {
	case err == nil, telegram.IsRefunded(err):
		return nil
	case telegram.Classify(err) != telegram.Unknown:
		return fmt.Errorf("telegram refuses to refund charge %s: %w", charge, err)
	}
	found, lookErr := NewProvider(api).Find(ctx, []string{charge})
	switch {
	case lookErr != nil:
		return fmt.Errorf("%w (%w; %w)", ErrUnknown, err, lookErr)
	case len(found) == 1 && found[0].Reverse != nil:
		return nil
	}
	return fmt.Errorf("%w (%w)", ErrUnknown, err)
}
