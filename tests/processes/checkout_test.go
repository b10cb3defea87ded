package processes_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/mymmrac/telego"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/tests/contract/desk"
)

// TestCheckoutPassesAFullInbox lets people pay in Stars while five thousand updates wait in the inbox, of which Telegram's
// limits let thirty a second be answered. Whoever stands at the checkout has the bot's word within two seconds.
func TestCheckoutPassesAFullInbox(t *testing.T) {
	const waiting, payments = 5000, 7
	b := setup(t)
	ids, chats, texts := make([]int64, waiting), make([]int64, waiting), make([]string, waiting)
	for i := range waiting {
		ids[i], chats[i] = int64(i+1), int64(500_000+i)
		texts[i] = fmt.Sprintf(`{"update_id":%d,"message":{"message_id":1,"date":1,"text":"/help",
			"chat":{"id":%d,"type":"private"},"from":{"id":%d,"is_bot":false,"first_name":"Crowd"}}}`, ids[i], chats[i], chats[i])
	}
	for i := 0; i < waiting; i += 1000 { // what it takes at once
		b.One("inbox.receive", A{"p_update_ids": ids[i : i+1000], "p_chat_ids": chats[i : i+1000], "p_payloads": texts[i : i+1000]})
	}

	payer, err := b.people.Ensure(t.Context(), botapi.Person{ID: anna, FirstName: "Anna"})
	require.NoError(t, err)
	_, err = payer.Send(t.Context(), "/start")
	require.NoError(t, err)
	api, err := telego.NewBot(token, telego.WithAPIServer(b.telegram.URL), telego.WithDiscardLogger())
	require.NoError(t, err)
	bills := make([]int, payments)
	for i := range bills {
		id := b.Open(anna, "basic", 1, fmt.Sprint(i))
		b.One("billing.attach_invoice", A{"p_purchase_id": id, "p_provider": "stars", "p_invoice_id": id, "p_amount_minor": 88,
			"p_currency": "XTR"})
		sent, err := api.SendInvoice(t.Context(), &telego.SendInvoiceParams{
			ChatID: telego.ChatID{ID: anna}, Title: "Basic", Description: "A month", Payload: id, Currency: "XTR",
			Prices: []telego.LabeledPrice{{Label: "Basic", Amount: 88}},
		})
		require.NoError(t, err)
		bills[i] = sent.MessageID
	}

	running := b.start("bot")
	b.until("the bot works the inbox", "select exists (select from inbox.update where finished_at is not null)")
	times := make([]time.Duration, payments)
	for i, bill := range bills {
		start := time.Now()
		result, err := payer.Pay(t.Context(), bill)
		times[i] = time.Since(start)
		require.NoError(t, err)
		require.Equal(t, botapi.PaymentPaid, result.Status, result.ErrorMessage)
	}
	left := b.count("inbox.update where finished_at is null")
	running.end()
	slices.Sort(times)
	t.Logf("%d updates still wait; the bot's word took %s to %s", left, times[0], times[payments-1])
	require.Greater(t, left, waiting/2, "the inbox was not behind")
	require.Less(t, times[payments/2], 2*time.Second)
	require.Less(t, times[payments-1], 10*time.Second, "Telegram has given up on it")
	require.Equal(t, desk.Rich, b.Available(anna))
}
