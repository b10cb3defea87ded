package cryptopay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/config"
	"atlas-secure/internal/pay/cryptopay"
	fake "atlas-secure/internal/sandbox/cryptopay"
	"atlas-secure/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

const token = "4242:CanaryCanaryCanary"

// bundle is a client, the fake it talks to, and a receiver of webhooks.
type bundle struct {
	ctx     context.Context
	client  *cryptopay.Client
	checker *cryptopay.Client // of webhooks
	fake    *fake.Server
	web     *httptest.Server

	mu       sync.Mutex
	refuse   int // webhooks to answer with 500
	updates  []cryptopay.Update
	failures []error
}

func setup(t *testing.T, opts fake.Options) *bundle {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	b := &bundle{ctx: ctx, checker: newClient(t, "https://pay.crypt.bot", token, nil)}
	receiver := httptest.NewServer(http.HandlerFunc(b.receive))
	t.Cleanup(receiver.Close)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Token, opts.WebhookURL, opts.Retry = token, receiver.URL, 5*time.Millisecond
	server, err := fake.New(opts)
	require.NoError(t, err)
	b.fake = server
	b.web = httptest.NewServer(server)
	t.Cleanup(func() { _ = server.Close(); b.web.Close() })
	b.client = newClient(t, b.web.URL, token, b.web.Client())
	return b
}

func newClient(t *testing.T, base, token string, web *http.Client) *cryptopay.Client {
	t.Helper()
	client, err := cryptopay.New(cryptopay.Options{BaseURL: base, Token: config.NewSecret(token), HTTPClient: web, Timeout: time.Minute})
	require.NoError(t, err)
	return client
}

func (b *bundle) receive(w http.ResponseWriter, r *http.Request) {
	update, err := b.checker.ReadWebhook(w, r)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse > 0 {
		b.refuse--
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if err != nil {
		b.failures = append(b.failures, err)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	b.updates = append(b.updates, update)
}

// received waits for n webhooks.
func (b *bundle) received(t *testing.T, n int) []cryptopay.Update {
	t.Helper()
	var got []cryptopay.Update
	require.Eventually(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		got = append([]cryptopay.Update{}, b.updates...)
		return len(got) >= n
	}, time.Minute, 2*time.Millisecond)
	require.Len(t, got, n)
	return got
}

func (b *bundle) create(t *testing.T) cryptopay.Invoice {
	t.Helper()
	invoice, err := b.client.CreateInvoice(b.ctx, cryptopay.CreateInvoiceParams{
		Amount: 139_950, Description: "Top-up <b>", Payload: "purchase-1", ExpiresIn: 30 * time.Minute,
	})
	require.NoError(t, err)
	return invoice
}

// press pays on the invoice's page.
func (b *bundle) press(t *testing.T, invoice cryptopay.Invoice) string {
	t.Helper()
	request, err := http.NewRequestWithContext(b.ctx, http.MethodPost, invoice.BotInvoiceURL, nil)
	require.NoError(t, err)
	response, err := b.web.Client().Do(request)
	require.NoError(t, err)
	var page bytes.Buffer
	_, err = page.ReadFrom(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	return page.String()
}

func (b *bundle) control(t *testing.T, path string, body any) int {
	t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(b.ctx, http.MethodPost, b.web.URL+"/control"+path, bytes.NewReader(raw))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := b.web.Client().Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

func TestInvoiceIsPaidAndTold(t *testing.T) {
	t.Parallel()
	b := setup(t, fake.Options{})
	app, err := b.client.GetMe(b.ctx)
	require.NoError(t, err)
	require.Equal(t, cryptopay.App{ID: 4242, Name: "Atlas Secure"}, app)

	invoice := b.create(t)
	require.Equal(t, cryptopay.StatusActive, invoice.Status)
	require.Equal(t, cryptopay.Decimal("1399.50"), invoice.Amount)
	amount, err := invoice.Kopecks()
	require.NoError(t, err)
	require.Equal(t, atlas.Kopecks(139_950), amount)
	require.WithinDuration(t, time.Now().Add(30*time.Minute), invoice.ExpirationDate, time.Minute)

	page := b.press(t, invoice)
	require.Contains(t, page, "✓ Paid")
	require.Contains(t, page, "1\u00a0399,50\u00a0₽")
	require.Contains(t, page, "Top-up &lt;b&gt;")
	update := b.received(t, 1)[0]
	require.Equal(t, cryptopay.UpdateInvoicePaid, update.Type)
	require.Equal(t, invoice.ID, update.Invoice.ID)
	require.Equal(t, "purchase-1", update.Invoice.Payload)
	require.Equal(t, "USDT", update.Invoice.PaidAsset)
	require.False(t, update.Invoice.PaidAt.IsZero())

	found, err := b.client.GetInvoices(b.ctx, cryptopay.GetInvoicesParams{IDs: []int64{invoice.ID, 1}, Status: cryptopay.StatusPaid})
	require.NoError(t, err)
	require.Equal(t, []cryptopay.Invoice{update.Invoice}, found)
	b.press(t, invoice) // a second press pays nothing
	b.received(t, 1)
	require.Error(t, b.client.DeleteInvoice(b.ctx, invoice.ID))
	other := b.create(t)
	require.NoError(t, b.client.DeleteInvoice(b.ctx, other.ID))
}

func TestWebhookIsRepeatedLostDoubledAndLate(t *testing.T) {
	t.Parallel()
	b := setup(t, fake.Options{})
	b.mu.Lock()
	b.refuse = 3
	b.mu.Unlock()
	b.press(t, b.create(t))
	b.received(t, 1)

	require.NoError(t, b.fake.AddFault(fake.Fault{Method: "webhook", Action: fake.FaultDrop}))
	lost := b.create(t)
	b.press(t, lost)
	paid, err := b.client.GetInvoices(b.ctx, cryptopay.GetInvoicesParams{IDs: []int64{lost.ID}})
	require.NoError(t, err)
	require.Equal(t, cryptopay.StatusPaid, paid[0].Status, "polling finds what no webhook told")

	require.Equal(t, http.StatusOK, b.control(t, "/faults", fake.Fault{Method: "webhook", Action: fake.FaultDuplicate}))
	require.Equal(t, http.StatusOK, b.control(t, "/faults", fake.Fault{Method: "webhook", Action: fake.FaultDelay, DelayMS: 20}))
	b.press(t, b.create(t))
	got := b.received(t, 3)
	require.Equal(t, got[1], got[2])
}

func TestForgedAndPrematureWebhooks(t *testing.T) {
	t.Parallel()
	b := setup(t, fake.Options{})
	invoice := b.create(t)
	require.Equal(t, http.StatusOK, b.control(t, "/webhooks", map[string]any{"invoice_id": invoice.ID, "override": map[string]string{"status": "paid"}}))
	told := b.received(t, 1)[0].Invoice
	require.Equal(t, cryptopay.StatusPaid, told.Status)
	found, err := b.client.GetInvoices(b.ctx, cryptopay.GetInvoicesParams{IDs: []int64{invoice.ID}})
	require.NoError(t, err)
	require.Equal(t, cryptopay.StatusActive, found[0].Status)

	require.Equal(t, http.StatusOK, b.control(t, "/webhooks", map[string]any{"invoice_id": invoice.ID, "forged": true}))
	require.Eventually(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.failures) > 0
	}, time.Minute, 2*time.Millisecond)
	b.mu.Lock()
	require.ErrorIs(t, b.failures[0], cryptopay.ErrBadSignature)
	b.mu.Unlock()
	b.received(t, 1)
}

func TestExpiredInvoiceIsNotPaid(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Now()
	b := setup(t, fake.Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	invoice := b.create(t)
	mu.Lock()
	now = now.Add(time.Hour)
	mu.Unlock()
	require.Contains(t, b.press(t, invoice), "has expired")
	found, err := b.client.GetInvoices(b.ctx, cryptopay.GetInvoicesParams{Status: cryptopay.StatusExpired, Count: 10})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, http.StatusBadRequest, b.control(t, fmt.Sprintf("/invoices/%d/pay", invoice.ID), map[string]any{}))
}

func TestStateSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := setup(t, fake.Options{StateDir: dir})
	b.mu.Lock()
	b.refuse = 1 << 30 // the webhook is still to be delivered
	b.mu.Unlock()
	paid, open := b.create(t), b.create(t)
	b.press(t, paid)
	// Not closed: this is what kill -9 leaves.
	again := setup(t, fake.Options{StateDir: dir})
	require.Equal(t, paid.ID, again.received(t, 1)[0].Invoice.ID)
	found, err := again.client.GetInvoices(again.ctx, cryptopay.GetInvoicesParams{})
	require.NoError(t, err)
	require.Equal(t, []int64{open.ID, paid.ID}, []int64{found[0].ID, found[1].ID})
	require.Greater(t, again.create(t).ID, open.ID)
}

func TestErrorsAreTypedAndNeverShowTheToken(t *testing.T) {
	t.Parallel()
	b := setup(t, fake.Options{})
	_, err := newClient(t, b.web.URL, "1:Wrong", b.web.Client()).GetMe(b.ctx)
	require.ErrorIs(t, err, cryptopay.ErrUnauthorized)
	_, err = b.client.CreateInvoice(b.ctx, cryptopay.CreateInvoiceParams{Amount: 0})
	var refusal *cryptopay.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, "AMOUNT_INVALID", refusal.Name)
	require.NotErrorIs(t, err, cryptopay.ErrUnavailable)

	var shown []string
	note := func(err error) {
		require.ErrorIs(t, err, cryptopay.ErrUnavailable)
		shown = append(shown, fmt.Sprintf("%v %+v %#v", err, err, err))
	}
	require.NoError(t, b.fake.AddFault(fake.Fault{Method: "getMe", Action: fake.FaultError, Code: 502}))
	_, err = b.client.GetMe(b.ctx)
	note(err)
	require.NoError(t, b.fake.AddFault(fake.Fault{Method: "createInvoice", Action: fake.FaultDrop}))
	_, err = b.client.CreateInvoice(b.ctx, cryptopay.CreateInvoiceParams{Amount: 100})
	note(err)
	found, err := b.client.GetInvoices(b.ctx, cryptopay.GetInvoicesParams{})
	require.NoError(t, err)
	require.Len(t, found, 1, "the work was done, the answer was lost")
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	_, err = b.client.GetMe(ctx)
	note(err)
	require.ErrorIs(t, err, context.Canceled)
	_, err = newClient(t, "http://127.0.0.1:1/"+url.PathEscape(token), token, b.web.Client()).GetMe(b.ctx)
	note(err)
	hostile := &http.Client{Transport: tellTale{}}
	_, err = newClient(t, b.web.URL, token, hostile).GetMe(b.ctx)
	note(err)

	var log bytes.Buffer
	client, err := cryptopay.New(cryptopay.Options{BaseURL: b.web.URL, Token: config.NewSecret(token), HTTPClient: hostile,
		Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	require.NoError(t, err)
	_, err = client.GetMe(b.ctx)
	require.Error(t, err)
	shown = append(shown, log.String(), fmt.Sprintf("%v %+v", client, client))
	require.NotContains(t, strings.Join(shown, "\n"), "Canary")
}

// tellTale is a transport whose error has the token in it.
type tellTale struct{}

func (tellTale) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("refused: %s", r.Header.Get("Crypto-Pay-API-Token"))
}

func TestDeadlineOfACall(t *testing.T) {
	t.Parallel()
	b := setup(t, fake.Options{})
	client, err := cryptopay.New(cryptopay.Options{BaseURL: b.web.URL, Token: config.NewSecret(token), HTTPClient: b.web.Client(), Timeout: 20 * time.Millisecond})
	require.NoError(t, err)
	require.NoError(t, b.fake.AddFault(fake.Fault{Method: "getMe", Action: fake.FaultDelay, DelayMS: 60_000}))
	_, err = client.GetMe(b.ctx)
	require.ErrorIs(t, err, cryptopay.ErrUnavailable)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, b.ctx.Err(), "the call's own deadline was shorter")
}

func TestParseWebhook(t *testing.T) {
	t.Parallel()
	client := newClient(t, "https://pay.crypt.bot", token, nil)
	body := []byte(`{"update_id":1,"update_type":"invoice_paid","payload":{"invoice_id":7,"amount":"1.10","currency_type":"crypto","asset":"TON","fee_amount":0.03}}`)
	update, err := client.ParseWebhook(cryptopay.Sign(token, body), body)
	require.NoError(t, err)
	require.Equal(t, cryptopay.Decimal("0.03"), update.Invoice.FeeAmount)
	_, err = update.Invoice.Kopecks()
	require.ErrorContains(t, err, "in TON")
	for name, try := range map[string]struct {
		signature, body string
		want            error
	}{
		"none":      {"", string(body), cryptopay.ErrBadSignature},
		"other key": {cryptopay.Sign("1:x", body), string(body), cryptopay.ErrBadSignature},
		"changed":   {cryptopay.Sign(token, body), strings.Replace(string(body), "7", "8", 1), cryptopay.ErrBadSignature},
		"no JSON":   {cryptopay.Sign(token, []byte("x")), "x", cryptopay.ErrMalformed},
		"no id":     {cryptopay.Sign(token, []byte(`{"update_type":"invoice_paid"}`)), `{"update_type":"invoice_paid"}`, cryptopay.ErrMalformed},
	} {
		_, err := client.ParseWebhook(try.signature, []byte(try.body))
		require.ErrorIs(t, err, try.want, name)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(strings.Repeat("x", 70_000)))
	_, err = client.ReadWebhook(httptest.NewRecorder(), request)
	require.ErrorIs(t, err, cryptopay.ErrTooLarge)
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for _, opts := range []cryptopay.Options{
		{Token: config.NewSecret("x")}, {BaseURL: "pay.crypt.bot", Token: config.NewSecret("x")}, {BaseURL: "https://pay.crypt.bot"},
	} {
		_, err := cryptopay.New(opts)
		require.Error(t, err)
	}
}
