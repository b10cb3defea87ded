package botapi_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/mymmrac/telego"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

// answers runs a bot that takes updates and gives each to the function, until the test ends.
func (b *bundle) answers(t *testing.T, handle func(telego.Update)) {
	t.Helper()
	polling, stop := context.WithCancel(b.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		offset := 0
		for {
			updates, err := b.bot.GetUpdates(polling, &telego.GetUpdatesParams{Offset: offset, Timeout: 20})
			if err != nil {
				return
			}
			for _, update := range updates {
				handle(update)
				offset = update.UpdateID + 1
			}
		}
	}()
	t.Cleanup(func() { stop(); <-done })
}

func (b *bundle) invoice(t *testing.T, currency, providerToken string, total int) *telego.Message {
	t.Helper()
	sent, err := b.bot.SendInvoice(b.ctx, &telego.SendInvoiceParams{
		ChatID: telego.ChatID{ID: b.anna.ID}, Title: "Basic", Description: "One month", Payload: "purchase-1",
		Currency: currency, ProviderToken: providerToken, Prices: []telego.LabeledPrice{{Label: "Basic", Amount: total}},
	})
	require.NoError(t, err)
	return sent
}

func TestStarsArePaidAndRefunded(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	b.start(t)
	paid := make(chan *telego.SuccessfulPayment, 1)
	refunded := make(chan *telego.RefundedPayment, 1)
	b.answers(t, func(u telego.Update) {
		switch {
		case u.PreCheckoutQuery != nil:
			assert.Equal(t, "purchase-1", u.PreCheckoutQuery.InvoicePayload)
			assert.NoError(t, b.bot.AnswerPreCheckoutQuery(b.ctx, &telego.AnswerPreCheckoutQueryParams{PreCheckoutQueryID: u.PreCheckoutQuery.ID, Ok: true}))
			err := b.bot.AnswerPreCheckoutQuery(b.ctx, &telego.AnswerPreCheckoutQueryParams{PreCheckoutQueryID: u.PreCheckoutQuery.ID, Ok: true})
			assert.ErrorContains(t, err, "query is too old and response timeout expired")
		case u.Message != nil && u.Message.SuccessfulPayment != nil:
			paid <- u.Message.SuccessfulPayment
		case u.Message != nil && u.Message.RefundedPayment != nil:
			refunded <- u.Message.RefundedPayment
		}
	})
	invoice := b.invoice(t, "XTR", "", 88)
	result, err := b.anna.Pay(b.ctx, invoice.MessageID)
	require.NoError(t, err)
	require.Equal(t, botapi.PaymentPaid, result.Status)
	payment := <-paid
	require.Equal(t, 88, payment.TotalAmount)
	require.Equal(t, result.TelegramChargeID, payment.TelegramPaymentChargeID)
	require.NotEmpty(t, payment.TelegramPaymentChargeID)
	_, err = b.anna.Pay(b.ctx, invoice.MessageID)
	require.ErrorContains(t, err, "this invoice is paid")

	refund := &telego.RefundStarPaymentParams{UserID: b.anna.ID, TelegramPaymentChargeID: payment.TelegramPaymentChargeID}
	require.NoError(t, b.bot.RefundStarPayment(b.ctx, refund))
	require.Equal(t, payment.TelegramPaymentChargeID, (<-refunded).TelegramPaymentChargeID)
	requireAPIError(t, b.bot.RefundStarPayment(b.ctx, refund), 400, "Bad Request: CHARGE_ALREADY_REFUNDED")
	list, err := b.bot.GetStarTransactions(b.ctx, &telego.GetStarTransactionsParams{})
	require.NoError(t, err)
	require.Len(t, list.Transactions, 2, "a payment and its refund, with one id")
	in, out := list.Transactions[0], list.Transactions[1]
	require.Equal(t, []any{payment.TelegramPaymentChargeID, 88}, []any{in.ID, in.Amount})
	require.Equal(t, in.ID, out.ID)
	require.Nil(t, in.Receiver)
	require.Nil(t, out.Source)
	payer, isUser := in.Source.(*telego.TransactionPartnerUser)
	require.True(t, isUser)
	require.Equal(t, []any{b.anna.ID, "purchase-1", telego.TransactionTypeInvoicePayment}, []any{payer.User.ID, payer.InvoicePayload, payer.TransactionType})
	list, err = b.bot.GetStarTransactions(b.ctx, &telego.GetStarTransactionsParams{Offset: 1, Limit: 1})
	require.NoError(t, err)
	require.Equal(t, []telego.StarTransaction{out}, list.Transactions)
	refund.UserID = b.boris.ID
	requireAPIError(t, b.bot.RefundStarPayment(b.ctx, refund), 400, "Bad Request: CHARGE_NOT_FOUND")
}

func TestPaymentThatTheBotSaysNothingToTimesOut(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{PreCheckoutTimeout: 200 * time.Millisecond})
	b.start(t)
	invoice := b.invoice(t, "RUB", "card:token", 14900)
	result, err := b.anna.Pay(b.ctx, invoice.MessageID)
	require.NoError(t, err)
	require.Equal(t, botapi.PaymentTimedOut, result.Status)
	err = b.bot.AnswerPreCheckoutQuery(b.ctx, &telego.AnswerPreCheckoutQueryParams{PreCheckoutQueryID: result.ID, Ok: true})
	requireAPIError(t, err, 400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
	b.showsNoPayment(t)
}

func (b *bundle) showsNoPayment(t *testing.T) {
	t.Helper()
	view, err := b.anna.Chat(b.ctx)
	require.NoError(t, err)
	require.NotContains(t, person.Transcript(view), "(paid")
}

func TestPaymentsThatComeToNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{PreCheckoutTimeout: time.Minute})
	b.start(t)
	invoice := b.invoice(t, "RUB", "card:token", 14900)
	agree := make(chan bool, 2)
	b.answers(t, func(u telego.Update) {
		if u.PreCheckoutQuery != nil {
			assert.NoError(t, b.bot.AnswerPreCheckoutQuery(b.ctx, &telego.AnswerPreCheckoutQueryParams{
				PreCheckoutQueryID: u.PreCheckoutQuery.ID, Ok: <-agree, ErrorMessage: "The purchase has expired",
			}))
		}
	})
	agree <- false
	result, err := b.anna.Pay(b.ctx, invoice.MessageID)
	require.NoError(t, err)
	require.Equal(t, botapi.PaymentRefused, result.Status)
	require.Equal(t, "The purchase has expired", result.ErrorMessage)
	agree <- true
	result, err = b.anna.PayDeclined(b.ctx, invoice.MessageID)
	require.NoError(t, err)
	require.Equal(t, botapi.PaymentDeclined, result.Status)
	b.showsNoPayment(t)
}

func TestInvoiceLinksMayBePaidAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	b.start(t)
	link, err := b.bot.CreateInvoiceLink(b.ctx, &telego.CreateInvoiceLinkParams{
		Title: "Top-up", Description: "d", Payload: "p", Currency: "XTR", Prices: []telego.LabeledPrice{{Label: "x", Amount: 5}},
	})
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(*link, "https://t.me/$"))
	b.answers(t, func(u telego.Update) {
		if u.PreCheckoutQuery != nil {
			assert.NoError(t, b.bot.AnswerPreCheckoutQuery(b.ctx, &telego.AnswerPreCheckoutQueryParams{PreCheckoutQueryID: u.PreCheckoutQuery.ID, Ok: true}))
		}
	})
	charges := map[string]bool{}
	for range 2 {
		result, err := b.boris.PayLink(b.ctx, *link)
		require.NoError(t, err)
		require.Equal(t, botapi.PaymentPaid, result.Status)
		charges[result.TelegramChargeID] = true
	}
	require.Len(t, charges, 2)
}

func TestInvoicesAreChecked(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	b.start(t)
	price := func(amounts ...int) (prices []telego.LabeledPrice) {
		for _, amount := range amounts {
			prices = append(prices, telego.LabeledPrice{Label: "x", Amount: amount})
		}
		return prices
	}
	good := telego.SendInvoiceParams{Title: "t", Description: "d", Payload: "p", Currency: "XTR", Prices: price(5)}
	cases := map[string]func(*telego.SendInvoiceParams){
		`parameter "title" is required`:    func(p *telego.SendInvoiceParams) { p.Title = "" },
		"INVOICE_PAYLOAD_INVALID":          func(p *telego.SendInvoiceParams) { p.Payload = strings.Repeat("x", 129) },
		"STARS_INVOICE_INVALID":            func(p *telego.SendInvoiceParams) { p.Prices = price(1, 2) },
		"CURRENCY_TOTAL_AMOUNT_INVALID":    func(p *telego.SendInvoiceParams) { p.Prices = price(0) },
		"PAYMENT_PROVIDER_INVALID":         func(p *telego.SendInvoiceParams) { p.Currency = "RUB" },
		"CURRENCY_INVALID":                 func(p *telego.SendInvoiceParams) { p.Currency = "rubles" },
		"there must be at least one price": func(p *telego.SendInvoiceParams) { p.Prices = []telego.LabeledPrice{} },
		"INVOICE_TITLE_INVALID":            func(p *telego.SendInvoiceParams) { p.Title = strings.Repeat("x", 33) },
		"INVOICE_DESCRIPTION_INVALID":      func(p *telego.SendInvoiceParams) { p.Description = strings.Repeat("x", 256) },
		"chat not found":                   func(p *telego.SendInvoiceParams) { p.ChatID.ID = 1 },
	}
	for want, spoil := range cases {
		params := good
		params.ChatID.ID = b.anna.ID
		spoil(&params)
		_, err := b.bot.SendInvoice(b.ctx, &params)
		require.Error(t, err, want)
		requireAPIError(t, err, 400, "Bad Request: "+want)
	}
	cheap := good
	cheap.ChatID.ID, cheap.Currency, cheap.ProviderToken, cheap.Prices = b.anna.ID, "RUB", "card", price(6399)
	_, err := b.bot.SendInvoice(b.ctx, &cheap)
	requireAPIError(t, err, 400, "Bad Request: CURRENCY_TOTAL_AMOUNT_INVALID")
}
