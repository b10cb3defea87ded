package bot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot"
	"atlas-secure/internal/config"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/pay/cryptobot"
	"atlas-secure/internal/pay/cryptopay"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/tests/harness"
)

// rows changes when any table that a payment or an update would be written to does.
func (b *bundle) rows(t *testing.T) string {
	t.Helper()
	var sum string
	require.NoError(t, b.db.Owner.QueryRow(b.ctx, `select concat_ws(' ',
		(select count(*) from billing.charge), (select count(*) from billing.payment), (select count(*) from ledger.transfer),
		(select count(*) from inbox.update), (select count(*) from outbox.task), (select count(*) from audit.entry),
		(select string_agg(status::text, ',' order by purchase_id) from billing.purchase))`).Scan(&sum))
	return sum
}

// post sends a body over real HTTP and gives the status; 0 when the server hung up before it had read all of it.
func post(t *testing.T, address string, body io.Reader, headers map[string]string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, body)
	require.NoError(t, err)
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode
}

// invoiceOf opens a top-up in Crypto Pay as a bot does, and gives the invoice's number.
func (b *bundle) invoiceOf(t *testing.T, db *sqlapi.DB, client *cryptopay.Client, user int64) int64 {
	t.Helper()
	_, err := db.Account.Register(b.ctx, sqlapi.RegisterParams{TelegramID: atlas.TelegramID(user)})
	require.NoError(t, err)
	opened, err := db.Billing.OpenTopup(b.ctx, atlas.TelegramID(user), 25000, "k")
	require.NoError(t, err)
	invoice, err := client.CreateInvoice(b.ctx, cryptopay.CreateInvoiceParams{Amount: 25000, Payload: string(opened.PurchaseID)})
	require.NoError(t, err)
	return invoice.ID
}

// TestE8ForgedWebhooks posts to the real handlers what only looks like Crypto Pay or Telegram. No row is written, and ten
// megabytes are not read.
func TestE8ForgedWebhooks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.startBot(t)
	client := b.cryptoClient(t)
	id := b.invoiceOf(t, p.db, client, 1001)
	b.control(t, http.MethodPost, fmt.Sprintf("/control/invoices/%d/pay", id), "") // no webhook is set: nobody is told
	mux := http.NewServeMux()
	mux.Handle("/crypto", cryptobot.NewWebhook(p.db.Billing, client, obs.NewLogger(b.log, 0, "cryptobot")))
	mux.Handle("/telegram", p.bot.WebhookHandler(config.NewSecret("the-secret")))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	invoices, err := client.GetInvoices(b.ctx, cryptopay.GetInvoicesParams{IDs: []int64{id}})
	require.NoError(t, err)
	payload, err := json.Marshal(invoices[0])
	require.NoError(t, err)
	genuine := `{"update_id":1,"update_type":"invoice_paid","request_date":"2020-01-01T00:00:00Z","payload":` + string(payload) + `}`
	signature := cryptopay.Sign(cryptoToken, []byte(genuine))
	update := `{"update_id":7,"message":{"message_id":1,"date":1,"chat":{"id":1001,"type":"private"},"from":{"id":1001,"first_name":"x"},"text":"/start"}}`
	huge := strings.Repeat("x", 10<<20)
	before, began := b.rows(t), time.Now()
	for name, forged := range map[string]struct {
		path, body, header, value string
		want                      []int
	}{
		"no signature":          {"/crypto", genuine, "X-Nothing", "", []int{401}},
		"an empty one":          {"/crypto", genuine, cryptopay.SignatureHeader, "", []int{401}},
		"a wrong one":           {"/crypto", genuine, cryptopay.SignatureHeader, strings.Repeat("0", 64), []int{401}},
		"of another body":       {"/crypto", strings.Replace(genuine, "250", "999", 1), cryptopay.SignatureHeader, signature, []int{401}},
		"another merchant's":    {"/crypto", genuine, cryptopay.SignatureHeader, cryptopay.Sign("2:other", []byte(genuine)), []int{401}},
		"ten megabytes":         {"/crypto", huge, cryptopay.SignatureHeader, cryptopay.Sign(cryptoToken, []byte(huge)), []int{413, 0}},
		"Telegram, no secret":   {"/telegram", update, "X-Nothing", "", []int{401}},
		"Telegram, a wrong one": {"/telegram", update, "X-Telegram-Bot-Api-Secret-Token", "the-secreT", []int{401}},
		"Telegram, too large":   {"/telegram", huge, "X-Telegram-Bot-Api-Secret-Token", "the-secret", []int{413, 0}},
	} {
		require.Contains(t, forged.want, post(t, server.URL+forged.path, strings.NewReader(forged.body), map[string]string{forged.header: forged.value}), name)
		require.Equal(t, before, b.rows(t), name)
	}
	require.Less(t, time.Since(began), time.Minute, "at no great cost")

	// The genuine event of long ago is taken, once: an old one is a replay and not a forgery.
	for range 3 {
		require.Equal(t, 200, post(t, server.URL+"/crypto", bytes.NewReader([]byte(genuine)), map[string]string{cryptopay.SignatureHeader: signature}))
	}
	require.Equal(t, 1, b.count(t, "select count(*)::int from billing.payment where outcome = 'applied'"))
	require.Equal(t, 1, b.count(t, "select count(*)::int from ledger.transfer"))
}

// TestE9WebhookAheadOfTheProvider: a truly signed event says paid while the provider itself says that nobody has paid yet.
func TestE9WebhookAheadOfTheProvider(t *testing.T) {
	t.Parallel()
	b := setup(t)
	db := b.openDB(t, harness.BotLogin)
	id := b.invoiceOf(t, db, b.cryptoClient(t), 1001)
	b.serveCryptoWebhook(t, db)
	before := b.rows(t)
	b.control(t, http.MethodPost, "/control/webhooks", fmt.Sprintf(`{"invoice_id":%d,"override":{"status":"paid"}}`, id))
	require.Eventually(t, func() bool { return strings.Contains(b.log.String(), "does not say that the invoice is paid") }, time.Minute, 10*time.Millisecond)
	require.Equal(t, before, b.rows(t))
	b.control(t, http.MethodPost, fmt.Sprintf("/control/invoices/%d/pay", id), "")
	b.waitCount(t, 1, "select count(*)::int from billing.payment where outcome = 'applied'")
	b.waitCount(t, 25000, "select available_kopecks::int from wallet.wallet where telegram_id = 1001")
}

// TestE11CheckoutWithASlowDatabase: every answer of the database takes twelve seconds when somebody presses Pay. Telegram
// has its answer within ten, nothing is left of the try, and when the database is well again the same invoice is paid.
func TestE11CheckoutWithASlowDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	proxy := b.db.Proxy(t)
	db, err := sqlapi.Open(b.ctx, sqlapi.Config{URL: config.NewSecret(proxy.DSN(harness.BotLogin)), Logger: obs.NewLogger(b.log, 0, "sqlapi")})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	b.startBot(t, func(parts *bot.Parts) { parts.DB = db })
	bob := b.started(t, "Bob", "en")
	b.press(t, bob, "Buy VPN")
	b.press(t, bob, "Basic")
	b.press(t, bob, "1 month — 149 ₽")
	b.press(t, bob, "Telegram Stars: 88")
	stars := b.invoice(t, bob, "XTR")
	before := b.count(t, "select count(*)::int from billing.purchase")

	proxy.Latency(harness.ToClient, 12*time.Second, 0)
	began := time.Now()
	refused, err := bob.Pay(b.ctx, stars.MessageID)
	took := time.Since(began)
	require.NoError(t, err)
	proxy.Heal()
	require.EqualValues(t, "refused", refused.Status, "%+v", refused)
	require.Less(t, took, 10*time.Second)
	require.Greater(t, took, time.Second, "the database was not slow: this proves nothing")
	require.Equal(t, before, b.count(t, "select count(*)::int from billing.purchase"))
	require.Zero(t, b.count(t, "select count(*)::int from billing.payment"))
	require.Equal(t, 1, b.count(t, "select count(*)::int from billing.purchase where status = 'open'"))

	b.press(t, bob, "Back")
	paid, err := bob.Pay(b.ctx, stars.MessageID)
	require.NoError(t, err)
	require.EqualValues(t, "paid", paid.Status, paid.ErrorMessage)
	b.waitCount(t, 1, "select count(*)::int from billing.payment where outcome = 'applied'")
}
