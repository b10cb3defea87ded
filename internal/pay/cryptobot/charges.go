package cryptobot

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/pay/cryptopay"
	"atlas-secure/internal/pay/reconcile"
)

// Charges is Crypto Pay's list of paid invoices, to compare with the books.
type Charges struct {
	invoices Invoices
	log      *slog.Logger
}

// NewCharges makes a list. It asks nobody yet.
func NewCharges(invoices Invoices, log *slog.Logger) *Charges {
	return &Charges{invoices: invoices, log: log}
}

// Name implements reconcile.Provider.
func (c *Charges) Name() atlas.Provider { return atlas.CryptoBot }

// TellsRefunds implements reconcile.Provider: a paid invoice stays paid.
func (c *Charges) TellsRefunds() bool { return false }

// Charges implements reconcile.Provider. Crypto Pay takes no period: all paid invoices are read. Its list begins with the
// newest, so that one which is paid meanwhile shows another one twice and hides none.
func (c *Charges) Charges(ctx context.Context, from, to time.Time) ([]reconcile.Charge, error) {
	var charges []reconcile.Charge
	seen := map[int64]bool{}
	for offset := 0; ; offset += maxPageSize {
		page, err := c.ask(ctx, cryptopay.GetInvoicesParams{Status: cryptopay.StatusPaid, Offset: offset, Count: maxPageSize})
		if err != nil {
			return nil, err
		}
		for _, invoice := range page {
			if !seen[invoice.ID] && !invoice.PaidAt.Before(from) && invoice.PaidAt.Before(to) {
				charges = c.add(ctx, charges, invoice)
			}
			seen[invoice.ID] = true
		}
		if len(page) < maxPageSize {
			return charges, nil
		}
	}
}

// Find implements reconcile.Provider.
func (c *Charges) Find(ctx context.Context, ids []string) ([]reconcile.Charge, error) {
	numbers := make([]int64, 0, len(ids))
	for _, id := range ids {
		if number, err := strconv.ParseInt(id, 10, 64); err == nil { // Crypto Pay knows of no other
			numbers = append(numbers, number)
		}
	}
	var charges []reconcile.Charge
	for len(numbers) > 0 {
		page := numbers[:min(maxPageSize, len(numbers))]
		numbers = numbers[len(page):]
		invoices, err := c.ask(ctx, cryptopay.GetInvoicesParams{IDs: page, Count: len(page)})
		if err != nil {
			return nil, err
		}
		for _, invoice := range invoices {
			if invoice.Status == cryptopay.StatusPaid {
				charges = c.add(ctx, charges, invoice)
			}
		}
	}
	return charges, nil
}

func (c *Charges) ask(ctx context.Context, params cryptopay.GetInvoicesParams) ([]cryptopay.Invoice, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	page, err := c.invoices.GetInvoices(ctx, params)
	if err != nil {
		return nil, fmt.Errorf("reading invoices: %w", err)
	}
	return page, nil
}

// add makes the same settlement of an invoice as the webhook and the poller. One that cannot be booked is told of.
func (c *Charges) add(ctx context.Context, charges []reconcile.Charge, invoice cryptopay.Invoice) []reconcile.Charge {
	raw, err := json.Marshal(invoice)
	if err == nil {
		settle, malformed := settlement(invoice, raw)
		if malformed == nil {
			return append(charges, reconcile.Charge{Settle: settle, PaidAt: invoice.PaidAt})
		}
		err = malformed
	}
	c.log.ErrorContext(ctx, "an invoice cannot be compared", obs.Operation("payments.reconcile"), obs.Outcome(obs.OutcomeFailed),
		slog.Int64("invoice_id", invoice.ID), obs.Err(err))
	return charges
}
