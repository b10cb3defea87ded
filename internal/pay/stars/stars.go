// Package stars is Telegram Stars as a provider of money: what it says it has taken, and how a payment is given back.
//
// A payment and its refund are two transactions with one id, the charge id of successful_payment
// (https://core.telegram.org/bots/api#startransaction). A refund is made once at most: a second refundStarPayment of the
// same charge is refused with CHARGE_ALREADY_REFUNDED.
package stars

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mymmrac/telego"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/pay/reconcile"
	"atlas-secure/internal/sqlapi"
)

// Telegram is what this package needs of the Bot API; *telegram.Client has it.
type Telegram interface {
	GetStarTransactions(ctx context.Context, params *telego.GetStarTransactionsParams) (*telego.StarTransactions, error)
	RefundStarPayment(ctx context.Context, params *telego.RefundStarPaymentParams) error
}

const (
	pageSize   = 100 // what getStarTransactions gives at most
	askTimeout = 15 * time.Second
)

// Provider reads the bot's transactions.
type Provider struct {
	telegram Telegram
}

// NewProvider makes a provider. It asks nobody yet.
func NewProvider(telegram Telegram) *Provider { return &Provider{telegram: telegram} }

// Name implements reconcile.Provider.
func (p *Provider) Name() atlas.Provider { return atlas.TelegramStars }

// TellsRefunds implements reconcile.Provider.
func (p *Provider) TellsRefunds() bool { return true }

// Charges implements reconcile.Provider.
func (p *Provider) Charges(ctx context.Context, from, to time.Time) ([]reconcile.Charge, error) {
	isIn := func(at time.Time) bool { return !at.IsZero() && !at.Before(from) && at.Before(to) }
	return p.read(ctx, func(t *transaction) bool { return isIn(t.paidAt) || isIn(t.refundedAt) })
}

// Find implements reconcile.Provider.
func (p *Provider) Find(ctx context.Context, ids []string) ([]reconcile.Charge, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	return p.read(ctx, func(t *transaction) bool { return wanted[t.id] })
}

// transaction is a payment by a person, with its refund if there was one.
type transaction struct {
	id                 string
	payer              int64
	payload            string
	amount             int
	paidAt, refundedAt time.Time
}

// read goes through all transactions: Telegram lists them from the oldest on and takes no period, and a refund may come long
// after its payment.
func (p *Provider) read(ctx context.Context, isWanted func(*transaction) bool) ([]reconcile.Charge, error) {
	byID := map[string]*transaction{}
	var order []*transaction
	for offset := 0; ; offset += pageSize {
		page, err := p.page(ctx, offset)
		if err != nil {
			return nil, err
		}
		for _, each := range page {
			payer, isPayment := each.Source.(*telego.TransactionPartnerUser)
			if isPayment && payer.TransactionType == telego.TransactionTypeInvoicePayment {
				byID[each.ID] = &transaction{
					id: each.ID, payer: payer.User.ID, payload: payer.InvoicePayload, amount: each.Amount, paidAt: time.Unix(each.Date, 0),
				}
				order = append(order, byID[each.ID])
			}
			// What goes out to a person under the id of a payment is its refund; a gift has an id of its own.
			if _, isToPerson := each.Receiver.(*telego.TransactionPartnerUser); isToPerson && byID[each.ID] != nil {
				byID[each.ID].refundedAt = time.Unix(each.Date, 0)
			}
		}
		if len(page) < pageSize {
			break
		}
	}
	var charges []reconcile.Charge
	for _, each := range order {
		if isWanted(each) {
			charges = append(charges, each.charge())
		}
	}
	return charges, nil
}

func (p *Provider) page(ctx context.Context, offset int) ([]telego.StarTransaction, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	page, err := p.telegram.GetStarTransactions(ctx, &telego.GetStarTransactionsParams{Offset: offset, Limit: pageSize})
	if err != nil {
		return nil, fmt.Errorf("reading transactions from %d on: %w", offset, err)
	}
	return page.Transactions, nil
}

// charge is the transaction as the bot would book it, had it got the update.
func (t *transaction) charge() reconcile.Charge {
	raw, _ := json.Marshal(map[string]any{ // never fails: texts and numbers
		"telegram_payment_charge_id": t.id, "total_amount": t.amount, "invoice_payload": t.payload, "date": t.paidAt.Unix(),
	})
	// A payload that is no purchase of ours is an unknown purchase: the money goes to suspense.
	purchase, _ := atlas.ParsePurchaseID(t.payload)
	charge := reconcile.Charge{PaidAt: t.paidAt, Settle: sqlapi.SettlePaymentParams{
		Provider: atlas.TelegramStars, ChargeID: t.id, PurchaseID: purchase, PayerID: atlas.TelegramID(t.payer),
		AmountMinor: int64(t.amount), Currency: atlas.XTR, Raw: raw,
	}}
	if !t.refundedAt.IsZero() {
		charge.Reverse = reversal(t.id, int64(t.amount))
	}
	return charge
}

func reversal(id string, amount int64) *sqlapi.ReversePaymentParams {
	raw, _ := json.Marshal(map[string]any{"telegram_payment_charge_id": id, "total_amount": amount}) // never fails
	return &sqlapi.ReversePaymentParams{
		Provider: atlas.TelegramStars, ChargeID: id, AmountMinor: amount, Currency: atlas.XTR, Raw: raw,
	}
}
