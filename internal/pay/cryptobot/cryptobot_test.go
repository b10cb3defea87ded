package cryptobot

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/config"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/pay/cryptopay"
	"atlas-secure/internal/sqlapi"
)

const (
	purchase = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
	token    = "12345:AAtoken"
)

// paidInvoice is an Invoice as the documentation shows it.
func paidInvoice(id int64, amount string) string {
	return fmt.Sprintf(`{"invoice_id":%d,"hash":"IVDoTcNBYEfk","currency_type":"fiat","fiat":"RUB","amount":%q,
		"paid_asset":"TON","paid_amount":"1.2345","paid_fiat_rate":"120.7","status":"paid","payload":%q,
		"created_at":"2025-01-01T00:00:00.000Z","paid_at":"2025-01-01T00:01:00.000Z"}`, id, amount, purchase)
}

func event(invoice string) string {
	return `{"update_id":1,"update_type":"invoice_paid","request_date":"2025-01-01T00:01:00.000Z","payload":` + invoice + `}`
}

// books records what is settled, once per charge id, like the database.
type books struct {
	mu       sync.Mutex
	settled  map[string]sqlapi.SettlePaymentParams
	contexts []string
	pending  []sqlapi.PendingInvoice
	failure  error
}

func (b *books) SettlePayment(ctx context.Context, p sqlapi.SettlePaymentParams) (sqlapi.Settlement, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failure != nil {
		return sqlapi.Settlement{}, b.failure
	}
	_, isReplay := b.settled[p.ChargeID]
	b.settled[p.ChargeID] = p
	b.contexts = append(b.contexts, obs.CorrelationID(ctx))
	return sqlapi.Settlement{Outcome: atlas.Applied, IsReplay: isReplay}, nil
}

func (b *books) PendingInvoices(
	_ context.Context, _ atlas.Provider, after *sqlapi.PendingInvoice, limit int,
) ([]sqlapi.PendingInvoice, error) {
	left := b.pending
	if after != nil {
		left = left[1+slices.IndexFunc(left, func(i sqlapi.PendingInvoice) bool { return i.InvoiceID == after.InvoiceID }):]
	}
	return left[:min(limit, len(left))], nil
}

type bundle struct {
	books   *books
	shop    *shop
	webhook http.Handler
}

// provider checks signatures as the client does, and says of invoices what the shop has.
type provider struct {
	*cryptopay.Client

	shop *shop
}

func (p provider) GetInvoices(ctx context.Context, params cryptopay.GetInvoicesParams) ([]cryptopay.Invoice, error) {
	return p.shop.GetInvoices(ctx, params)
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{books: &books{settled: map[string]sqlapi.SettlePaymentParams{}}, shop: &shop{invoices: map[int64]string{}}}
	client, err := cryptopay.New(cryptopay.Options{BaseURL: "http://127.0.0.1:1", Token: config.NewSecret(token)})
	require.NoError(t, err)
	b.webhook = NewWebhook(b.books, provider{client, b.shop}, obs.Discard())
	return b
}

func (b *bundle) post(t *testing.T, body, signature string) int {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Path, strings.NewReader(body))
	request.Header.Set(cryptopay.SignatureHeader, signature)
	recorder := httptest.NewRecorder()
	b.webhook.ServeHTTP(recorder, request)
	return recorder.Code
}

// signed posts an event of the provider's, who says the same when asked.
func (b *bundle) signed(t *testing.T, body string) int {
	t.Helper()
	var event struct {
		Payload json.RawMessage `json:"payload"`
	}
	var invoice cryptopay.Invoice
	if json.Unmarshal([]byte(body), &event) == nil && json.Unmarshal(event.Payload, &invoice) == nil {
		b.shop.invoices[invoice.ID] = string(event.Payload)
	}
	return b.post(t, body, cryptopay.Sign(token, []byte(body)))
}

func TestSignatureIsTheDocumentedOne(t *testing.T) {
	t.Parallel()

	// printf '{"a":1}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf 12345:AAtoken | openssl dgst -sha256 -r | cut -d' ' -f1)
	require.Equal(t, "e74cf8273a9b861b6163da37dc2c477cf1fe6ac9a01361bbb5b0ffead78390a1",
		cryptopay.Sign(token, []byte(`{"a":1}`)))
}

func TestWebhookSettlesOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)

	for range 3 {
		require.Equal(t, http.StatusOK, b.signed(t, event(paidInvoice(77, "149.00"))))
	}
	require.Len(t, b.books.settled, 1)
	got := b.books.settled["77"]
	require.Equal(t, atlas.CryptoBot, got.Provider)
	require.Equal(t, atlas.PurchaseID(purchase), got.PurchaseID)
	require.Equal(t, int64(14900), got.AmountMinor)
	require.Equal(t, atlas.RUB, got.Currency)
	require.Zero(t, got.PayerID)
	require.Contains(t, string(got.Raw), `"invoice_id":77`)
	require.Contains(t, string(got.Raw), `"paid_amount":"1.2345"`)
	require.Equal(t, "cryptobot-77", b.books.contexts[0])
}

func TestE8WebhookRefusesForgeries(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := event(paidInvoice(77, "149.00"))
	good := cryptopay.Sign(token, []byte(body))

	require.Equal(t, http.StatusUnauthorized, b.post(t, body, ""))
	require.Equal(t, http.StatusUnauthorized, b.post(t, body, "zz"))
	require.Equal(t, http.StatusUnauthorized, b.post(t, body, good[:62]))
	require.Equal(t, http.StatusUnauthorized, b.post(t, body, good[:62]+"00"))
	require.Equal(t, http.StatusUnauthorized, b.post(t, body+" ", good), "one byte more")
	require.Equal(t, http.StatusUnauthorized, b.post(t, strings.Replace(body, "149", "948", 1), good))
	require.Equal(t, http.StatusUnauthorized,
		b.post(t, body, cryptopay.Sign("other", []byte(body))))
	require.Empty(t, b.books.settled)
}

// TestE9OnlyWhatTheProviderConfirms: a true signature is not enough, and the amount is the provider's.
func TestE9OnlyWhatTheProviderConfirms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := event(paidInvoice(77, "149.00"))
	told := func() int { return b.post(t, body, cryptopay.Sign(token, []byte(body))) }
	require.Equal(t, http.StatusServiceUnavailable, told(), "the provider knows of no such invoice")
	b.shop.invoices[77] = strings.Replace(paidInvoice(77, "1.00"), `"paid",`, `"active",`, 1)
	require.Equal(t, http.StatusServiceUnavailable, told())
	require.Empty(t, b.books.settled)
	b.shop.invoices[77] = paidInvoice(77, "1.00")
	require.Equal(t, http.StatusOK, told())
	require.Equal(t, int64(100), b.books.settled["77"].AmountMinor)
}

func TestWebhookRefusesWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)

	require.Equal(t, http.StatusRequestEntityTooLarge, b.signed(t, strings.Repeat("x", maxBody+1)))
	require.Equal(t, http.StatusBadRequest, b.signed(t, `{"update_type":`))
	require.Equal(t, http.StatusBadRequest, b.signed(t, `{"update_type":"invoice_paid"}`))
	require.Equal(t, http.StatusBadRequest, b.signed(t, event(`{"invoice_id":"77","status":"paid"}`)))
	require.Equal(t, http.StatusBadRequest, b.signed(t, event(strings.Replace(paidInvoice(77, "1.00"), `"paid",`, `"active",`, 1))))
	for _, amount := range []string{"0", "-1.00", "1.005", "1e3", "99999999999999999999"} {
		require.Equal(t, http.StatusBadRequest, b.signed(t, event(paidInvoice(77, amount))), amount)
	}
	require.Equal(t, http.StatusBadRequest, b.signed(t, event(paidInvoice(0, "1.00"))))
	require.Equal(t, http.StatusOK, b.signed(t, `{"update_type":"invoice_refunded","payload":{}}`), "unknown kinds are not for us")
	require.Empty(t, b.books.settled)

	recorder := httptest.NewRecorder()
	b.webhook.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, Path, nil))
	require.Equal(t, http.StatusMethodNotAllowed, recorder.Code)
}

func TestWebhookAsksForAnotherTryWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	b := setup(t)

	b.books.failure = fmt.Errorf("billing.settle_payment: %w", atlas.ErrUnavailable)
	require.Equal(t, http.StatusServiceUnavailable, b.signed(t, event(paidInvoice(77, "149.00"))))
	b.books.failure = nil
	require.Equal(t, http.StatusOK, b.signed(t, event(paidInvoice(77, "149.00"))))
	require.Len(t, b.books.settled, 1)
}

func TestMoneyForNobodyIsNotLost(t *testing.T) {
	t.Parallel()
	b := setup(t)

	stranger := strings.Replace(paidInvoice(78, "10.00"), purchase, "thanks!", 1)
	require.Equal(t, http.StatusOK, b.signed(t, event(stranger)))
	require.Empty(t, b.books.settled["78"].PurchaseID)

	coin := `{"invoice_id":79,"status":"paid","currency_type":"crypto","asset":"TON","amount":"0.00000005","payload":""}`
	require.Equal(t, http.StatusOK, b.signed(t, event(coin)))
	require.Equal(t, atlas.Currency("TON"), b.books.settled["79"].Currency)
	require.Equal(t, int64(5), b.books.settled["79"].AmountMinor)
}

// shop answers with the invoices it has.
type shop struct {
	invoices map[int64]string
	asked    [][]int64
}

func (s *shop) GetInvoices(_ context.Context, p cryptopay.GetInvoicesParams) ([]cryptopay.Invoice, error) {
	s.asked = append(s.asked, p.IDs)
	var answers []cryptopay.Invoice
	for _, id := range p.IDs {
		text, ok := s.invoices[id]
		if !ok {
			continue
		}
		var invoice cryptopay.Invoice
		if err := json.Unmarshal([]byte(text), &invoice); err != nil {
			return nil, err
		}
		answers = append(answers, invoice)
	}
	return answers[:min(p.Count, len(answers))], nil
}

func TestPollSettlesWhatIsPaidAndNoMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, id := range []string{"1", "2", "x", "3", "4"} {
		b.books.pending = append(b.books.pending, sqlapi.PendingInvoice{InvoiceID: id})
	}
	source := &shop{invoices: map[int64]string{
		1: paidInvoice(1, "100.00"), 2: strings.Replace(paidInvoice(2, "5.00"), `"paid",`, `"active",`, 1), 3: paidInvoice(3, "1.005"), 4: paidInvoice(4, "4"),
	}}
	poller := NewPoller(b.books, source, obs.Discard())

	settled, err := poller.Poll(t.Context(), 2)
	require.ErrorIs(t, err, ErrMalformedInvoice, "the broken one is told of")
	require.Equal(t, 2, settled, "and keeps nobody else from being settled")
	require.Contains(t, b.books.settled, "1")
	require.Contains(t, b.books.settled, "4")
	require.Equal(t, [][]int64{{1, 2}, {3}, {4}}, source.asked)

	settled, err = poller.Poll(t.Context(), 100)
	require.Error(t, err)
	require.Zero(t, settled, "a replay is nothing new")
}

// TestPollAsksAboutAll goes on past what the books give at once.
func TestPollAsksAboutAll(t *testing.T) {
	t.Parallel()
	b := setup(t)
	source := &shop{invoices: map[int64]string{1: paidInvoice(1, "1.00"), 2*pendingPage + 1: paidInvoice(2*pendingPage+1, "2.00")}}
	for id := range 2*pendingPage + 1 {
		b.books.pending = append(b.books.pending, sqlapi.PendingInvoice{InvoiceID: strconv.Itoa(id + 1)})
	}
	settled, err := NewPoller(b.books, source, obs.Discard()).Poll(t.Context(), maxPageSize)
	require.NoError(t, err)
	require.Equal(t, 2, settled)
	require.Len(t, source.asked, 3)
}

func TestPollAndWebhookMakeTheSameSettlement(t *testing.T) {
	t.Parallel()
	byWebhook, byPoll := setup(t), setup(t)
	require.Equal(t, http.StatusOK, byWebhook.signed(t, event(paidInvoice(5, "250.00"))))
	byPoll.books.pending = []sqlapi.PendingInvoice{{InvoiceID: "5"}}
	_, err := NewPoller(byPoll.books, &shop{invoices: map[int64]string{5: paidInvoice(5, "250.00")}}, obs.Discard()).
		Poll(t.Context(), 1)
	require.NoError(t, err)
	webhook, poll := byWebhook.books.settled["5"], byPoll.books.settled["5"]
	require.NotEmpty(t, webhook.Raw)
	require.NotEmpty(t, poll.Raw)
	webhook.Raw, poll.Raw = nil, nil // each way's own text
	require.Equal(t, webhook, poll)
	require.Equal(t, byWebhook.books.contexts, byPoll.books.contexts)
}

func TestPollStopsAtAnOutage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.books.pending = []sqlapi.PendingInvoice{{InvoiceID: "1"}}
	b.books.failure = atlas.ErrUnavailable
	_, err := NewPoller(b.books, &shop{invoices: map[int64]string{1: paidInvoice(1, "1")}}, obs.Discard()).Poll(t.Context(), 1)
	require.ErrorIs(t, err, atlas.ErrUnavailable)
}
