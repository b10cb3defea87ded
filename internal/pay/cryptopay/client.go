// Package cryptopay is the client of Crypto Pay (CryptoBot), API 1.5: invoices in roubles that people pay in crypto.
//
// A paid invoice is told by a webhook and found by polling (GetInvoices); either may come first or twice, so whoever
// settles deduplicates by the invoice's id. CreateInvoice is not idempotent: after ErrUnavailable an invoice may exist
// that nobody knows; it expires by itself, and paying it is still found by polling through its payload.
package cryptopay

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pkg/errors"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/config"
)

const (
	defaultTimeout = 10 * time.Second
	// maxAnswer bounds what is read of an answer; maxWebhook bounds a webhook's body.
	maxAnswer  = 8 << 20
	maxWebhook = 64 << 10
	// tokenHeader carries the application's token; it is in no address and so in no error of net/http.
	tokenHeader = "Crypto-Pay-API-Token"
)

// Options of a Client.
type Options struct {
	BaseURL    string // https://pay.crypt.bot
	Token      config.Secret
	HTTPClient *http.Client  // default: one of its own
	Timeout    time.Duration // of one call; default 10 s
	Logger     *slog.Logger  // default: none
}

// Client calls Crypto Pay and checks its webhooks. It is safe for concurrent use.
type Client struct {
	base    *url.URL
	token   config.Secret
	http    *http.Client
	timeout time.Duration
	log     *slog.Logger
}

// New checks the options.
func New(opts Options) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(opts.BaseURL, "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("crypto pay: the address must be http or https with a host")
	}
	if !opts.Token.IsSet() {
		return nil, errors.New("crypto pay: no token")
	}
	c := &Client{base: base, token: opts.Token, http: opts.HTTPClient, timeout: opts.Timeout, log: opts.Logger}
	if c.http == nil {
		c.http = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()} //nolint:forcetypeassert // what net/http documents
	}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.log = c.log.With("component", "cryptopay")
	return c, nil
}

// CreateInvoiceParams describe an invoice in roubles.
type CreateInvoiceParams struct {
	Amount      atlas.Kopecks
	Description string        // at most 1024 characters, shown to the payer
	Payload     string        // at most 4096 bytes, given back with the invoice
	ExpiresIn   time.Duration // 1 s to 31 days; 0: never
	PaidBtnURL  string        // where the button after payment leads; empty: no button
}

// CreateInvoice makes an invoice and gives its addresses.
func (c *Client) CreateInvoice(ctx context.Context, p CreateInvoiceParams) (Invoice, error) {
	body := map[string]any{
		"currency_type": "fiat", "fiat": "RUB", "amount": p.Amount.Decimal(), "payload": p.Payload,
		"allow_comments": false, "allow_anonymous": true,
	}
	if p.Description != "" {
		body["description"] = p.Description
	}
	if p.ExpiresIn > 0 {
		body["expires_in"] = max(int64(p.ExpiresIn/time.Second), 1)
	}
	if p.PaidBtnURL != "" {
		body["paid_btn_name"], body["paid_btn_url"] = "openBot", p.PaidBtnURL
	}
	var invoice Invoice
	err := c.call(ctx, "createInvoice", body, &invoice)
	return invoice, err
}

// GetInvoicesParams choose invoices; the zero value means the newest 100.
type GetInvoicesParams struct {
	IDs    []int64
	Status Status
	Offset int
	Count  int // at most 1000
}

// GetInvoices lists invoices.
func (c *Client) GetInvoices(ctx context.Context, p GetInvoicesParams) ([]Invoice, error) {
	body := map[string]any{}
	if len(p.IDs) > 0 {
		body["invoice_ids"] = joinIDs(p.IDs)
	}
	if p.Status != "" {
		body["status"] = p.Status
	}
	if p.Offset > 0 {
		body["offset"] = p.Offset
	}
	if p.Count > 0 {
		body["count"] = p.Count
	}
	var list invoiceList
	err := c.call(ctx, "getInvoices", body, &list)
	return list, err
}

// DeleteInvoice removes an invoice that is not paid.
func (c *Client) DeleteInvoice(ctx context.Context, id int64) error {
	var done bool
	return c.call(ctx, "deleteInvoice", map[string]any{"invoice_id": id}, &done)
}

// App is the application that the token belongs to.
type App struct {
	ID   int64  `json:"app_id"`
	Name string `json:"name"`
}

// GetMe proves that the token works.
func (c *Client) GetMe(ctx context.Context) (App, error) {
	var app App
	err := c.call(ctx, "getMe", map[string]any{}, &app)
	return app, err
}

// call posts one request. Nothing is retried here: the caller knows whether a second one does harm.
func (c *Client) call(ctx context.Context, method string, body, result any) (err error) {
	began := time.Now()
	defer func() {
		outcome := "ok"
		if err != nil {
			outcome = err.Error()
		}
		c.log.DebugContext(ctx, "crypto pay called", "operation", method, "outcome", outcome, "duration", time.Since(began))
	}()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	raw, err := json.Marshal(body)
	if err != nil {
		return errors.Wrapf(err, "crypto pay %s: encode", method)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.JoinPath("api", method).String(), bytes.NewReader(raw))
	if err != nil {
		return errors.Wrapf(err, "crypto pay %s", method)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(tokenHeader, c.token.Reveal())
	response, err := c.http.Do(request)
	if err != nil {
		return c.unavailable(method, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return c.unavailable(method, err)
	}
	return decodeAnswer(method, response.StatusCode, answer, result)
}

func decodeAnswer(method string, status int, answer []byte, result any) error {
	var envelope struct {
		OK     bool            `json:"ok"`
		Result json.RawMessage `json:"result"`
		Error  struct {
			Code int    `json:"code"`
			Name string `json:"name"`
		} `json:"error"`
	}
	err := json.Unmarshal(answer, &envelope)
	switch {
	case status >= http.StatusInternalServerError, err != nil:
		return errors.Wrapf(ErrUnavailable, "crypto pay %s: status %d", method, status)
	case !envelope.OK:
		return &Error{Method: method, Status: status, Code: envelope.Error.Code, Name: envelope.Error.Name}
	}
	return errors.Wrapf(json.Unmarshal(envelope.Result, result), "crypto pay %s: decode", method)
}
