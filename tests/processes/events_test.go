package processes_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/config"
	"atlas-secure/internal/pay/cryptobot"
	"atlas-secure/internal/pay/cryptopay"
	fakepay "atlas-secure/internal/sandbox/cryptopay"
	"atlas-secure/tests/contract/desk"
)

// events is what becomes of one purchase that somebody pays by Crypto Pay, at a real bot and a real worker.
type events struct {
	*bundle
	bot      *process
	pay      string // Crypto Pay's address
	purchase string
	invoice  int64
	swept    int // how often time has moved on
}

func (e *events) control(path, body string) {
	e.Helper()
	response, err := http.Post(e.pay+path, "application/json", strings.NewReader(body))
	require.NoError(e, err)
	require.NoError(e, response.Body.Close())
	require.Equal(e, http.StatusOK, response.StatusCode, path)
}

// answered waits until the bot has answered one more webhook.
func (e *events) answered(send func()) {
	e.Helper()
	count := func() int {
		e.bot.mu.Lock()
		defer e.bot.mu.Unlock()
		return strings.Count(e.bot.log.String(), `"operation":"webhook.cryptopay"`)
	}
	before := count()
	send()
	e.eventually("the webhook is answered", func() bool { return count() > before })
}

func (e *events) webhook(isForged bool) {
	e.Helper()
	e.answered(func() {
		e.control("/control/webhooks", fmt.Sprintf(`{"invoice_id":%d,"forged":%t}`, e.invoice, isForged))
	})
}

// happen lets one event happen.
func (e *events) happen(event string) {
	e.Helper()
	switch event {
	case "paid": // and its own webhook gets lost
		e.control("/control/faults", `{"method":"webhook","action":"drop"}`)
		e.control(fmt.Sprintf("/control/invoices/%d/pay", e.invoice), "{}")
	case "webhook":
		e.webhook(false)
	case "forged":
		e.webhook(true)
	case "poll":
		output, code := e.run([]string{"LOCAL_CRYPTOPAY_URL=" + e.pay, "LOCAL_CRYPTOPAY_TOKEN=" + cryptoToken}, "run", "pay.poll_cryptobot")
		require.Zero(e, code, output)
	case "sweep":
		e.swept++
		e.owner.Later(fmt.Sprintf("%d minutes", 31*e.swept))
		e.One("billing.expire_due", A{"p_epoch": nil, "p_limit": 100})
	}
}

func permutations(of []string) [][]string {
	if len(of) == 0 {
		return [][]string{{}}
	}
	all := [][]string{}
	for i, first := range of {
		rest := append(append([]string{}, of[:i]...), of[i+1:]...)
		for _, p := range permutations(rest) {
			all = append(all, append([]string{first}, p...))
		}
	}
	return all
}

// TestE2EventsInEveryOrder: the payment, Crypto Pay's webhook (true, and forged), the poller and the end of the purchase's
// time come in every order. The purchase is paid once in the end, and the books are the same ones.
func TestE2EventsInEveryOrder(t *testing.T) {
	b := setup(t)
	fake, err := fakepay.New(fakepay.Options{Token: cryptoToken})
	require.NoError(t, err)
	pay := httptest.NewServer(fake)
	t.Cleanup(func() { _ = fake.Close(); pay.CloseClientConnections(); pay.Close() })
	client, err := cryptopay.New(cryptopay.Options{BaseURL: pay.URL, Token: config.NewSecret(cryptoToken)})
	require.NoError(t, err)
	bot := b.start("bot", "LOCAL_CRYPTOPAY_URL="+pay.URL, "LOCAL_CRYPTOPAY_TOKEN="+cryptoToken)
	fake.SetWebhook("http://" + bot.address(b) + cryptobot.Path)
	e := &events{bundle: b, bot: bot, pay: pay.URL}

	orders := permutations([]string{"paid", "webhook", "poll", "sweep"})
	for i, order := range orders {
		e.purchase = b.Open(bert, "basic", 1, fmt.Sprint("k", i))
		invoice, err := client.CreateInvoice(t.Context(), cryptopay.CreateInvoiceParams{Amount: desk.Basic1, Payload: e.purchase})
		require.NoError(t, err)
		e.invoice = invoice.ID
		b.One("billing.attach_invoice", A{"p_purchase_id": e.purchase, "p_provider": "cryptobot", "p_invoice_id": fmt.Sprint(invoice.ID),
			"p_amount_minor": desk.Basic1, "p_currency": "RUB"})
		e.happen("forged")
		isPaid := false
		for _, event := range append(order, "webhook", "poll") {
			e.happen(event)
			isPaid = isPaid || event == "paid"
			if isPaid && (event == "webhook" || event == "poll") {
				b.until("it is booked", "select status = 'paid' from billing.purchase where purchase_id = $1", e.purchase)
			}
		}
		require.Equal(t, []Row{{"status": "paid", "outcome": "applied", "amount_minor": desk.Basic1}}, b.owner.Query(`
			select u.status::text as status, p.outcome::text as outcome, p.amount_minor
			from billing.purchase u join billing.payment p on p.telegram_id = u.telegram_id and p.purchase_id = u.purchase_id
			where u.purchase_id = $1`, e.purchase), "%s", order)
	}
	require.Equal(t, len(orders), b.count("billing.charge"))
	require.Equal(t, len(orders), b.count("ledger.transfer where telegram_id = $1", bert), "one movement each")
	require.Zero(t, b.Available(bert))
	refused := 0
	bot.mu.Lock()
	for line := range strings.Lines(bot.log.String()) {
		var said struct{ Status int }
		if json.Unmarshal([]byte(line), &said) == nil && said.Status == http.StatusUnauthorized {
			refused++
		}
	}
	bot.mu.Unlock()
	require.GreaterOrEqual(t, refused, len(orders), "each forged one")
}
