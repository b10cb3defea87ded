package cryptobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/pay/cryptopay"
	"atlas-secure/internal/sqlapi"
)

// Books is what this package needs of schema billing.
type Books interface {
	SettlePayment(ctx context.Context, p sqlapi.SettlePaymentParams) (sqlapi.Settlement, error)
	PendingInvoices(
		ctx context.Context, provider atlas.Provider, after *sqlapi.PendingInvoice, limit int,
	) ([]sqlapi.PendingInvoice, error)
}

const (
	currencyFiat = "fiat"
	fiatPlaces   = 2
	assetPlaces  = 8 // what Crypto Pay itself writes of a coin
)

// ErrMalformedInvoice means that an invoice is not of the form that the documentation gives.
var ErrMalformedInvoice = errors.New("malformed Crypto Pay invoice")

// settlement turns a paid invoice into what the books want to know. Crypto Pay names no payer. A payload that is not ours
// leaves the purchase unknown: such money ends in suspense, as does any currency but roubles.
func settlement(invoice cryptopay.Invoice, raw json.RawMessage) (sqlapi.SettlePaymentParams, error) {
	if invoice.ID <= 0 {
		return sqlapi.SettlePaymentParams{}, fmt.Errorf("%w: invoice_id %d", ErrMalformedInvoice, invoice.ID)
	}
	p := sqlapi.SettlePaymentParams{
		Provider: atlas.CryptoBot,
		ChargeID: invoice.ChargeID(),
		Currency: atlas.Currency(invoice.Currency()),
		Raw:      raw,
	}
	if purchase, err := atlas.ParsePurchaseID(invoice.Payload); err == nil {
		p.PurchaseID = purchase
	}
	if p.Currency == "" {
		return sqlapi.SettlePaymentParams{}, fmt.Errorf("%w: invoice %d has no currency", ErrMalformedInvoice, invoice.ID)
	}
	places := assetPlaces
	if invoice.CurrencyType == currencyFiat {
		places = fiatPlaces
	}
	minor, err := atlas.ParseMinor(string(invoice.Amount), places)
	if err != nil || minor < 1 {
		return sqlapi.SettlePaymentParams{}, fmt.Errorf("%w: invoice %d: amount %q", ErrMalformedInvoice, invoice.ID, invoice.Amount)
	}
	p.AmountMinor = minor
	return p, nil
}

// settle books a paid invoice under a correlation id of its own, the same however the news came.
func settle(
	ctx context.Context, books Books, invoice cryptopay.Invoice, raw json.RawMessage,
) (sqlapi.Settlement, error) {
	params, err := settlement(invoice, raw)
	if err != nil {
		return sqlapi.Settlement{}, err
	}
	settled, err := books.SettlePayment(obs.WithCorrelationID(ctx, "cryptobot-"+params.ChargeID), params)
	if err != nil {
		return sqlapi.Settlement{}, fmt.Errorf("settling invoice %s: %w", params.ChargeID, err)
	}
	return settled, nil
}
