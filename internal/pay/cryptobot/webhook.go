package cryptobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"atlas-secure/internal/obs"
	"atlas-secure/internal/pay/cryptopay"
)

const (
	// Path is where the bot's HTTP server mounts the webhook.
	Path = "/webhook/cryptopay"

	maxBody       = 1 << 20
	handleTimeout = 15 * time.Second
)

// Provider is what the webhook needs of Crypto Pay.
type Provider interface {
	Invoices
	ParseWebhook(signature string, body []byte) (cryptopay.Update, error)
}

// webhook takes Crypto Pay's events.
type webhook struct {
	books    Books
	provider Provider
	log      *slog.Logger
}

// NewWebhook makes the handler of Crypto Pay's events. An event is only the news that an invoice may be paid: what it is
// worth is what Crypto Pay says when it is asked, so that a signature that got into other hands credits nobody. It answers
// 200 only when the payment is committed, 401 to a forged signature, 413 beyond 1 MB, 400 to what no correct sender sends,
// and 503 when Crypto Pay should try again, also when it does not know of the payment yet.
func NewWebhook(books Books, provider Provider, log *slog.Logger) http.Handler {
	return &webhook{books: books, provider: provider, log: log}
}

// ServeHTTP implements http.Handler.
func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), handleTimeout)
	defer cancel()
	status, err := h.handle(ctx, w, r)
	attrs := []any{obs.Operation("webhook.cryptopay"), obs.Took(start), "status", status}
	switch {
	case status >= http.StatusInternalServerError:
		h.log.ErrorContext(ctx, "webhook", append(attrs, obs.Outcome(obs.OutcomeFailed), obs.Err(err))...)
	case err != nil:
		h.log.WarnContext(ctx, "webhook", append(attrs, obs.Outcome(obs.OutcomeRefused), obs.Err(err))...)
	default:
		h.log.InfoContext(ctx, "webhook", append(attrs, obs.Outcome(obs.OutcomeOK))...)
	}
	w.WriteHeader(status)
}

var (
	errMethod  = errors.New("method is not POST")
	errNotPaid = errors.New("the invoice is not paid")
	// errNotConfirmed is no fault of the sender's if Crypto Pay is behind its own events: it tries again, and polling goes on.
	errNotConfirmed = errors.New("the provider does not say that the invoice is paid")
)

func (h *webhook) handle(ctx context.Context, w http.ResponseWriter, r *http.Request) (int, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed, errMethod
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return http.StatusRequestEntityTooLarge, cryptopay.ErrTooLarge
		}
		return http.StatusBadRequest, fmt.Errorf("reading the body: %w", err)
	}
	update, err := h.provider.ParseWebhook(r.Header.Get(cryptopay.SignatureHeader), body)
	switch {
	case errors.Is(err, cryptopay.ErrBadSignature):
		return http.StatusUnauthorized, err
	case err != nil:
		return http.StatusBadRequest, err
	case update.Type != cryptopay.UpdateInvoicePaid:
		return http.StatusOK, nil // a kind that did not exist when this was written
	case update.Invoice.Status != cryptopay.StatusPaid:
		return http.StatusBadRequest, errNotPaid
	}
	if _, err := settlement(update.Invoice, nil); err != nil {
		return http.StatusBadRequest, err
	}
	invoice, err := h.confirmed(ctx, update.Invoice.ID)
	if err != nil {
		return http.StatusServiceUnavailable, err
	}
	raw, err := json.Marshal(invoice)
	if err != nil {
		return http.StatusBadRequest, fmt.Errorf("encoding invoice %d: %w", invoice.ID, err)
	}
	_, err = settle(ctx, h.books, invoice, raw)
	switch {
	case errors.Is(err, ErrMalformedInvoice):
		return http.StatusBadRequest, err
	case err != nil:
		return http.StatusServiceUnavailable, err
	}
	return http.StatusOK, nil
}

// confirmed gives the invoice as Crypto Pay has it, if it is paid there.
func (h *webhook) confirmed(ctx context.Context, id int64) (cryptopay.Invoice, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answers, err := h.provider.GetInvoices(ctx, cryptopay.GetInvoicesParams{IDs: []int64{id}, Count: 1})
	if err != nil {
		return cryptopay.Invoice{}, fmt.Errorf("asking Crypto Pay: %w", err)
	}
	for _, invoice := range answers {
		if invoice.ID == id && invoice.Status == cryptopay.StatusPaid {
			return invoice, nil
		}
	}
	return cryptopay.Invoice{}, fmt.Errorf("invoice %d: %w", id, errNotConfirmed)
}
