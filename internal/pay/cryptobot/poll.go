package cryptobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/pay/cryptopay"
	"atlas-secure/internal/sqlapi"
)

// Invoices is what the poller needs of Crypto Pay.
type Invoices interface {
	GetInvoices(ctx context.Context, p cryptopay.GetInvoicesParams) ([]cryptopay.Invoice, error)
}

// Poller asks about invoices whose webhook may have got lost.
type Poller struct {
	books    Books
	invoices Invoices
	log      *slog.Logger
}

// NewPoller makes a poller. It asks nobody yet.
func NewPoller(books Books, invoices Invoices, log *slog.Logger) *Poller {
	return &Poller{books: books, invoices: invoices, log: log}
}

const (
	pendingPage = 1000 // what billing.pending_invoices gives at most
	askTimeout  = 10 * time.Second
	maxPageSize = 1000 // what getInvoices takes at most
)

// Poll asks about every pending invoice, newest first, pageSize of them a request, settles those that are paid, and gives
// how many that were not settled before. One that cannot be settled does not keep the others from it.
func (p *Poller) Poll(ctx context.Context, pageSize int) (int, error) {
	pageSize = max(1, min(pageSize, maxPageSize))
	settled, failures := 0, []error(nil)
	for after := (*sqlapi.PendingInvoice)(nil); ctx.Err() == nil; {
		pending, err := p.books.PendingInvoices(ctx, atlas.CryptoBot, after, pendingPage)
		if err != nil {
			return settled, errors.Join(append(failures, fmt.Errorf("reading pending invoices: %w", err))...)
		}
		if len(pending) > 0 {
			after = &pending[len(pending)-1]
		}
		isLast := len(pending) < pendingPage
		for len(pending) > 0 && ctx.Err() == nil {
			page := pending[:min(pageSize, len(pending))]
			pending = pending[len(page):]
			count, err := p.page(ctx, page)
			settled += count
			if err != nil {
				failures = append(failures, err)
			}
		}
		if isLast {
			break
		}
	}
	return settled, errors.Join(failures...)
}

func (p *Poller) page(ctx context.Context, page []sqlapi.PendingInvoice) (int, error) {
	ids := make([]int64, 0, len(page))
	for _, pending := range page {
		id, err := strconv.ParseInt(pending.InvoiceID, 10, 64)
		if err != nil {
			p.log.ErrorContext(ctx, "an invoice id is not Crypto Pay's", obs.Operation("pay.poll_cryptobot"),
				obs.Outcome(obs.OutcomeFailed), slog.String("invoice_id", pending.InvoiceID))
			continue
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	askCtx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answers, err := p.invoices.GetInvoices(askCtx, cryptopay.GetInvoicesParams{IDs: ids, Count: len(ids)})
	if err != nil {
		return 0, fmt.Errorf("asking Crypto Pay: %w", err)
	}
	settled, failures := 0, []error(nil)
	for _, invoice := range answers {
		if invoice.Status != cryptopay.StatusPaid {
			continue
		}
		isNew, err := p.settle(ctx, invoice)
		if err != nil {
			failures = append(failures, err)
		} else if isNew {
			settled++
		}
	}
	return settled, errors.Join(failures...)
}

func (p *Poller) settle(ctx context.Context, invoice cryptopay.Invoice) (isNew bool, err error) {
	raw, err := json.Marshal(invoice)
	if err != nil {
		return false, fmt.Errorf("encoding invoice %d: %w", invoice.ID, err)
	}
	settled, err := settle(ctx, p.books, invoice, raw)
	return err == nil && !settled.IsReplay, err
}
