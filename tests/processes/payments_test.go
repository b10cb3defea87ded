package processes_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/mymmrac/telego"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/config"
	"atlas-secure/internal/pay/cryptopay"
	"atlas-secure/internal/sandbox/botapi"
	fakepay "atlas-secure/internal/sandbox/cryptopay"
	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

// run runs a command of the worker's to its end, and gives what it printed and its exit code.
func (b *bundle) run(env []string, args ...string) (output string, code int) {
	b.Helper()
	command := b.command(args...)
	command.Env = append(command.Env, env...)
	text, err := command.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return string(text) + string(failed.Stderr), failed.ExitCode()
	}
	require.NoError(b, err)
	return string(text), 0
}

// command is a command of the worker's that was not started yet.
func (b *bundle) command(args ...string) *exec.Cmd {
	b.Helper()
	command := exec.CommandContext(context.Background(), program(b, "worker"), args...)
	command.Env = append(append([]string{}, b.env...), "LOCAL_DATABASE_URL="+b.harness.DSN(harness.WorkerLogin))
	return command
}

// has is that a line of the table has all these words.
func has(t *testing.T, table string, words ...string) {
	t.Helper()
	for line := range strings.Lines(table) {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
			return
		}
	}
	require.Fail(t, "no such line", "%q in:\n%s", words, table)
}

// TestReconcileCryptoPay compares Crypto Pay's list with books in which each kind of difference was made, and has the real
// worker bring what is missing into them, twice.
func TestReconcileCryptoPay(t *testing.T) {
	b := setup(t)
	fake, err := fakepay.New(fakepay.Options{Token: cryptoToken})
	require.NoError(t, err)
	pay := httptest.NewServer(fake)
	t.Cleanup(func() { _ = fake.Close(); pay.CloseClientConnections(); pay.Close() })
	client, err := cryptopay.New(cryptopay.Options{BaseURL: pay.URL, Token: config.NewSecret(cryptoToken)})
	require.NoError(t, err)
	paid := func(payload string) string {
		invoice, err := client.CreateInvoice(t.Context(), cryptopay.CreateInvoiceParams{Amount: 25000, Payload: payload})
		require.NoError(t, err)
		response, err := http.Post(fmt.Sprintf("%s/control/invoices/%d/pay", pay.URL, invoice.ID), "application/json", strings.NewReader("{}"))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return invoice.ChargeID()
	}
	agreed, missing, differs, nobodys := b.Topup(bert, 25000, "1"), b.Topup(bert, 25000, "2"), b.Topup(bert, 25000, "3"), "thanks!"
	b.Settle(paid(agreed), agreed, 25000)
	lost := paid(missing)
	other := paid(differs)
	b.Settle(other, differs, 24000)
	b.Settle(paid(nobodys), nil, 25000)
	b.Settle("987654", b.Topup(bert, 25000, "4"), 25000)
	_, err = client.CreateInvoice(t.Context(), cryptopay.CreateInvoiceParams{Amount: 25000, Payload: b.Topup(bert, 25000, "5")})
	require.NoError(t, err, "not paid: in no list")

	env := []string{"LOCAL_CRYPTOPAY_URL=" + pay.URL, "LOCAL_CRYPTOPAY_TOKEN=" + cryptoToken}
	before := b.Available(bert)
	for _, flags := range [][]string{nil, {"--apply"}, {"--apply"}} {
		table, code := b.run(env, append([]string{"payments", "reconcile", "--provider", "cryptobot"}, flags...)...)
		require.Equal(t, 1, code, table)
		has(t, table, "amount differs", other, "25000 RUB", "24000 RUB")
		has(t, table, "missing at provider", "987654")
		has(t, table, "in suspense", "unknown_purchase")
		require.Contains(t, table, "the provider and the books differ")
	}
	table, _ := b.run(env, "payments", "reconcile", "--provider", "cryptobot")
	has(t, table, "agreed", "2")
	has(t, table, "missing in books", "0")
	require.NotContains(t, table, lost+" ")
	require.Equal(t, before+25000, b.Available(bert), "booked once")
	require.Equal(t, 1, b.count("billing.payment where charge_id = $1 and correlation_id = 'cryptobot-' || $1", lost))

	table, code := b.run(env, "payments", "reconcile", "--provider", "cryptobot", "--from", "2026-01-01", "--to", "2026-01-02")
	require.Zero(t, code, "nothing in that period: %s", table)
	table, code = b.run(nil, "payments", "reconcile", "--provider", "cryptobot")
	require.Equal(t, 1, code)
	require.Contains(t, table, "CRYPTOPAY_TOKEN")
	table, code = b.run(env, "payments", "reconcile", "--provider", "telegram")
	require.Equal(t, 1, code)
	require.Contains(t, table, "telegram has no list of card payments")
}

// takeStars is a bot that says yes at the checkout and dies before it books anything. It gives the charge.
func (b *bundle) takeStars(purchase string) (charge string) {
	b.Helper()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	payer, err := b.people.Ensure(ctx, botapi.Person{ID: bert, FirstName: "Bert"})
	require.NoError(b, err)
	_, err = payer.Send(ctx, "/start")
	require.NoError(b, err)
	api, err := telego.NewBot(token, telego.WithAPIServer(b.telegram.URL), telego.WithDiscardLogger())
	require.NoError(b, err)
	sent, err := api.SendInvoice(ctx, &telego.SendInvoiceParams{
		ChatID: telego.ChatID{ID: bert}, Title: "Basic", Description: "A month", Payload: purchase, Currency: "XTR",
		Prices: []telego.LabeledPrice{{Label: "Basic", Amount: 88}},
	})
	require.NoError(b, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for offset := 0; ; {
			updates, err := api.GetUpdates(ctx, &telego.GetUpdatesParams{Offset: offset, Timeout: 20})
			if err != nil {
				return
			}
			for _, update := range updates {
				offset = update.UpdateID + 1
				if q := update.PreCheckoutQuery; q != nil && q.InvoicePayload == purchase {
					assert.NoError(b, api.AnswerPreCheckoutQuery(ctx, &telego.AnswerPreCheckoutQueryParams{PreCheckoutQueryID: q.ID, Ok: true}))
					return
				}
			}
		}
	}()
	result, err := payer.Pay(ctx, sent.MessageID)
	require.NoError(b, err)
	require.Equal(b, botapi.PaymentPaid, result.Status)
	<-done
	return result.TelegramChargeID
}

// refunds is how often Telegram has given Stars back.
func (b *bundle) refunds() int {
	b.Helper()
	api, err := telego.NewBot(token, telego.WithAPIServer(b.telegram.URL), telego.WithDiscardLogger())
	require.NoError(b, err)
	list, err := api.GetStarTransactions(context.Background(), &telego.GetStarTransactionsParams{})
	require.NoError(b, err)
	count := 0
	for _, each := range list.Transactions {
		if each.Receiver != nil {
			count++
		}
	}
	return count
}

// TestStarsAreBookedAndRefundedOnce has the worker find a payment in Stars that no bot has booked, and give it back: not for
// somebody who is no admin, with the answer of Telegram lost, killed between Telegram and the books, and once more for all.
func TestStarsAreBookedAndRefundedOnce(t *testing.T) {
	b := setup(t)
	id := b.Open(bert, "basic", 1, "k")
	b.One("billing.attach_invoice", A{"p_purchase_id": id, "p_provider": "stars", "p_invoice_id": id, "p_amount_minor": 88, "p_currency": "XTR"})
	lost, second := b.takeStars(id), b.takeStars("not a purchase of ours")
	for range 2 {
		table, code := b.run(nil, "payments", "reconcile", "--provider", "stars", "--apply")
		require.Zero(t, code, table)
	}
	table, code := b.run(nil, "payments", "reconcile", "--provider", "stars")
	require.Zero(t, code, table)
	has(t, table, "agreed", "1")
	has(t, table, "in suspense", second)
	require.Equal(t, "paid", b.One("billing.show_purchase", desk.Mine(bert, id))["status"])

	refund := func(admin int, charge string) (string, int) {
		return b.run(nil, "payments", "refund-stars", "--admin", fmt.Sprint(admin), "--charge", charge, "--reason", "asked for it")
	}
	text, code := refund(anna, lost)
	require.Equal(t, 1, code, text)
	text, code = refund(boss, "no such charge")
	require.Equal(t, 1, code, text)
	require.Zero(t, b.refunds(), "nobody asked Telegram")

	require.NoError(t, b.people.AddFault(t.Context(), botapi.Fault{Method: "refundStarPayment", Action: botapi.FaultDrop}))
	text, code = refund(boss, lost)
	require.Zero(t, code, text)
	require.Contains(t, text, "reversed, debt 0 kopecks, taken back before: false")
	require.Equal(t, "refunded", b.One("billing.show_purchase", desk.Mine(bert, id))["status"])
	text, code = refund(boss, lost)
	require.Zero(t, code, text)
	require.Contains(t, text, "taken back before: true")
	require.Equal(t, 1, b.refunds())

	require.NoError(t, b.people.AddFault(t.Context(), botapi.Fault{
		Method: "refundStarPayment", Action: botapi.FaultDelay, DelayMS: 60_000, After: true,
	}))
	killed := b.command("payments", "refund-stars", "--admin", fmt.Sprint(boss), "--charge", second, "--reason", "why")
	require.NoError(t, killed.Start())
	b.eventually("Telegram has given it back", func() bool { return b.refunds() == 2 })
	require.NoError(t, killed.Process.Kill())
	require.Error(t, killed.Wait())
	require.Equal(t, 1, b.count("billing.payment where outcome = 'reversed'"), "the books do not know yet")
	table, code = b.run(nil, "payments", "reconcile", "--provider", "stars")
	require.Equal(t, 1, code, table)
	has(t, table, "not taken back", second, "refund begun at")
	text, code = refund(boss, second)
	require.Zero(t, code, text)
	require.Contains(t, text, "taken back before: false")
	require.Equal(t, 2, b.refunds(), "each once")
	require.Equal(t, 2, b.count("billing.payment where outcome = 'reversed'"))
	table, code = b.run(nil, "payments", "reconcile", "--provider", "stars")
	require.Zero(t, code, table)
	has(t, table, "agreed", "2")
}
