package bot

import (
	"context"
	"strconv"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/pay/cryptopay"
)

// CryptoPay makes invoices at Crypto Pay; *cryptopay.Client is one.
type CryptoPay interface {
	CreateInvoice(ctx context.Context, p cryptopay.CreateInvoiceParams) (cryptopay.Invoice, error)
	GetInvoices(ctx context.Context, p cryptopay.GetInvoicesParams) ([]cryptopay.Invoice, error)
}

// cryptoTime bounds one call of Crypto Pay while a person waits.
const cryptoTime = 8 * time.Second

// payByCrypto makes an invoice at Crypto Pay, or shows again the one that was made. The person gets the address only after
// the database knows the invoice; one that was made and not attached is never shown and runs out.
func (b *Bot) payByCrypto(ctx context.Context, r *request) (screen.Screen, error) {
	if b.Crypto == nil {
		return screen.Failure(r.text, atlas.ErrUnknownProvider.Code, ""), nil
	}
	start, refusal, err := b.startPayment(ctx, r, atlas.CryptoBot)
	if start == nil {
		return refusal, err
	}
	bounded, cancel := context.WithTimeout(ctx, cryptoTime)
	defer cancel()
	invoice, isKnown := b.earlierInvoice(bounded, start)
	if !isKnown {
		invoice, err = b.Crypto.CreateInvoice(bounded, cryptopay.CreateInvoiceParams{
			Amount:      atlas.Kopecks(start.way.AmountMinor),
			Description: screen.What(r.text, start.purchase),
			Payload:     string(start.purchase.PurchaseID),
			ExpiresIn:   time.Duration(max(start.purchase.SecondsLeft, 1)) * time.Second, // 0 would be for ever
		})
		if err != nil {
			b.Log.WarnContext(ctx, "crypto pay made no invoice", obs.Operation(r.operation), obs.Outcome(obs.OutcomeFailed), obs.Err(err))
			return screen.ProviderDown(r.text, start.purchase.PurchaseID), nil
		}
		if err := b.attach(ctx, start, invoice.ChargeID()); err != nil {
			return screen.Screen{}, err
		}
	}
	return screen.CryptoInvoice(r.text, start.purchase, invoice.BotInvoiceURL), nil
}

// earlierInvoice is the invoice that a purchase has already, as long as it can be paid.
func (b *Bot) earlierInvoice(ctx context.Context, start *paymentStart) (cryptopay.Invoice, bool) {
	id, err := strconv.ParseInt(start.purchase.InvoiceID, 10, 64)
	if err != nil || start.purchase.Provider != atlas.CryptoBot {
		return cryptopay.Invoice{}, false
	}
	found, err := b.Crypto.GetInvoices(ctx, cryptopay.GetInvoicesParams{IDs: []int64{id}})
	if err != nil {
		return cryptopay.Invoice{}, false
	}
	for _, invoice := range found {
		if invoice.ID == id && invoice.Status == cryptopay.StatusActive {
			return invoice, true
		}
	}
	return cryptopay.Invoice{}, false
}
