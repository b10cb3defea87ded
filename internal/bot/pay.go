package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mymmrac/telego"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// payFromBalance pays a purchase. The purchase is its own key: pressed twice, it is paid once.
func (b *Bot) payFromBalance(ctx context.Context, r *request) (screen.Screen, error) {
	id, err := r.purchase()
	if err != nil {
		return screen.Screen{}, err
	}
	paid, err := b.DB.Billing.PayFromBalance(ctx, r.user, id)
	if errors.Is(err, atlas.ErrInsufficientFunds) {
		balance, err := b.DB.Wallet.Balance(ctx, r.user)
		if err != nil {
			return screen.Screen{}, fmt.Errorf("reading the balance: %w", err)
		}
		return screen.NotEnough(r.text, id, balance.Available), nil
	}
	if err != nil {
		return screen.Screen{}, fmt.Errorf("paying from the balance: %w", err)
	}
	if paid.IsReplay && r.attempt == 1 {
		// An earlier press paid it, and shows so.
		return screen.Screen{Toast: r.text.Plain("alert.paid_already")}, nil
	}
	p, err := b.DB.Billing.ShowPurchase(ctx, r.user, id)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("reading the purchase: %w", err)
	}
	return screen.Paid(r.text, p, paid.Available), nil
}

// payByStars sends an invoice in Telegram Stars.
func (b *Bot) payByStars(ctx context.Context, r *request) (screen.Screen, error) {
	return b.payInTelegram(ctx, r, atlas.TelegramStars, "")
}

// payByCard sends an invoice of the card provider.
func (b *Bot) payByCard(ctx context.Context, r *request) (screen.Screen, error) {
	return b.payInTelegram(ctx, r, atlas.TelegramCard, b.CardToken.Reveal())
}

func (b *Bot) payInTelegram(ctx context.Context, r *request, provider atlas.Provider, providerToken string) (screen.Screen, error) {
	start, refusal, err := b.startPayment(ctx, r, provider)
	if start == nil {
		return refusal, err
	}
	// The purchase has one invoice at each provider inside Telegram, however often it is sent.
	if err := b.attach(ctx, start, string(start.purchase.PurchaseID)); err != nil {
		return screen.Screen{}, err
	}
	return screen.Invoice(r.text, start.purchase, start.way, providerToken), nil
}

// paymentStart is a purchase that may be paid at a provider now.
type paymentStart struct {
	purchase sqlapi.Purchase
	way      sqlapi.WayToPay
}

// startPayment checks that a purchase can be paid at a provider; without a start it gives the screen that says why not.
func (b *Bot) startPayment(ctx context.Context, r *request, provider atlas.Provider) (*paymentStart, screen.Screen, error) {
	id, err := r.purchase()
	if err != nil {
		return nil, screen.Screen{}, err
	}
	p, err := b.DB.Billing.ShowPurchase(ctx, r.user, id)
	if err != nil {
		return nil, screen.Screen{}, fmt.Errorf("reading the purchase: %w", err)
	}
	offers, err := b.DB.Billing.WaysToPay(ctx, r.user, id)
	if err != nil {
		return nil, screen.Screen{}, fmt.Errorf("reading the ways to pay: %w", err)
	}
	for _, offer := range offers {
		if offer.Provider != string(provider) || !offer.IsOffered || p.Status != atlas.PurchaseOpen {
			continue
		}
		if err := b.attempt(ctx, r, limit.Payment, screen.ToPurchase(r.text, id)); err != nil {
			return nil, screen.Screen{}, err
		}
		return &paymentStart{purchase: p, way: offer}, screen.Screen{}, nil
	}
	s, err := b.drawPurchase(ctx, r, id) // as it is now: paid, expired, or with the ways that are left
	return nil, s, err
}

// attach tells the database of an invoice before the person can pay it.
func (b *Bot) attach(ctx context.Context, start *paymentStart, invoiceID string) error {
	_, err := b.DB.Billing.AttachInvoice(ctx, sqlapi.AttachInvoiceParams{
		PurchaseID:  start.purchase.PurchaseID,
		Provider:    atlas.Provider(start.way.Provider),
		InvoiceID:   invoiceID,
		AmountMinor: start.way.AmountMinor,
		Currency:    start.way.Currency,
	})
	if err != nil {
		return fmt.Errorf("attaching the invoice: %w", err)
	}
	return nil
}

// handlePayment books money that Telegram took. It is never refused; what it buys is told by the messages that the same
// transaction wrote. An error is tried again, and ends among the dead letters, never in silence.
func (b *Bot) handlePayment(ctx context.Context, r *request, u sqlapi.ClaimedUpdate, payment *telego.SuccessfulPayment) error {
	// A payload that is no purchase of ours is an unknown purchase: the money goes to suspense.
	purchase, _ := atlas.ParsePurchaseID(payment.InvoicePayload)
	settled, err := b.DB.Billing.SettlePayment(ctx, sqlapi.SettlePaymentParams{
		Provider:    providerOf(payment.Currency),
		ChargeID:    payment.TelegramPaymentChargeID,
		PurchaseID:  purchase,
		PayerID:     r.user,
		AmountMinor: int64(payment.TotalAmount),
		Currency:    atlas.Currency(payment.Currency),
		Raw:         rawOf(u, "successful_payment"),
	})
	if err != nil {
		return fmt.Errorf("settling a payment: %w", err)
	}
	if settled.Outcome != atlas.Suspense || settled.IsReplay && r.attempt == 1 {
		return nil
	}
	if err := b.meet(ctx, r); err != nil {
		b.Log.WarnContext(ctx, "could not read whose payment is in suspense", obs.Operation("successful_payment"), obs.Err(err))
	}
	r.operation = "successful_payment"
	return b.show(ctx, r, screen.InSuspense(r.text))
}

// handleRefundedPayment takes back what a payment gave, because Telegram has given the money back. The person is told by
// the message that the same transaction wrote.
func (b *Bot) handleRefundedPayment(ctx context.Context, u sqlapi.ClaimedUpdate, payment *telego.RefundedPayment) error {
	_, err := b.DB.Billing.ReversePayment(ctx, sqlapi.ReversePaymentParams{
		Provider:    providerOf(payment.Currency),
		ChargeID:    payment.TelegramPaymentChargeID,
		AmountMinor: int64(payment.TotalAmount),
		Currency:    atlas.Currency(payment.Currency),
		Raw:         rawOf(u, "refunded_payment"),
	})
	if err != nil {
		return fmt.Errorf("reversing a payment: %w", err)
	}
	return nil
}

// providerOf is the provider behind a payment inside Telegram.
func providerOf(currency string) atlas.Provider {
	if currency == string(atlas.XTR) {
		return atlas.TelegramStars
	}
	return atlas.TelegramCard
}

// rawOf is the provider's own text of the event.
func rawOf(u sqlapi.ClaimedUpdate, kind string) json.RawMessage {
	var update struct {
		Message map[string]json.RawMessage `json:"message"`
	}
	if err := json.Unmarshal([]byte(u.Payload), &update); err != nil || len(update.Message[kind]) == 0 {
		return json.RawMessage(`{}`)
	}
	return update.Message[kind]
}
