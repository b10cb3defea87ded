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

// webhook takes Crypto Pay's events.
type webhook struct {
	books  Books
	client *cryptopay.Client
	log    *slog.Logger
}

// NewWebhook makes the handler of Crypto Pay's events. It answers 200 only when the payment is committed, 401 to a forged
// signature, 413 beyond 1 MB, 400 to what no correct sender sends, and 503 when Crypto Pay should try again.
func NewWebhook(books Books, client *cryptopay.Client, log *slog.Logger) http.Handler {
	return &webhook{books: books, client: client, log: log}
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
	update, err := h.client.ParseWebhook(r.Header.Get(cryptopay.SignatureHeader), body)
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
	var raw struct {
		Payload json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return http.StatusBadRequest, cryptopay.ErrMalformed
	}
	_, err = settle(ctx, h.books, update.Invoice, raw.Payload)
	switch {
	case errors.Is(err, ErrMalformedInvoice):
		return http.StatusBadRequest, err
	case err != nil:
		return http.StatusServiceUnavailable, err
	}
	return http.StatusOK, nil
}
