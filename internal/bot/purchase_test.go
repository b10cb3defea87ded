package bot_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mymmrac/telego"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

func TestFromStartToKeyInRussian(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startWorker(t)
	anna := b.person(t, "Анна", "ru")
	b.send(t, anna, "/start ref_0123456789abcdef")
	b.sees(t, anna, "Выберите язык")
	require.Equal(t, "Язык: русский", b.press(t, anna, "Русский").Text)
	b.sees(t, anna, "👋 Анна, это Atlas Secure")
	require.Equal(t, 1, b.count(t, `select count(*)::int from account.account
		where telegram_id = $1 and start_payload = 'ref_0123456789abcdef' and is_language_chosen and language = 'ru'`, anna.ID))

	b.credit(t, anna, 500)
	b.press(t, anna, "Купить VPN")
	b.sees(t, anna, "Базовый — одновременно 3 устройства\n1 месяц — 149 ₽")
	b.press(t, anna, "Базовый")
	b.press(t, anna, "3 месяца — 399 ₽")
	confirm := b.sees(t, anna, "К оплате: 399 ₽")
	require.Contains(t, confirm.Text, "Базовый, 3 месяца")
	require.Contains(t, confirm.Text, "Ваш баланс: 500 ₽")
	require.Contains(t, confirm.Text, "Подписка будет действовать до ")
	require.Contains(t, confirm.Text, "(МСК)")
	b.press(t, anna, "Оплатить с баланса")
	paid := b.sees(t, anna, "оплачено")
	require.Equal(t, confirm.MessageID, paid.MessageID, "the screen is edited in place")
	require.Contains(t, paid.Text, "Ключ придёт сюда автоматически")
	require.Contains(t, paid.Text, "На балансе осталось 101 ₽")

	receipt := b.sees(t, anna, "Оплата принята: Базовый, 3 месяца, 399 ₽")
	require.True(t, receipt.IsOutgoing)
	key := b.sees(t, anna, "Ключ готов!")
	require.Len(t, key.Photo, 1)
	require.Contains(t, key.Caption, "vless://")
	picture, err := anna.File(b.ctx, key.Photo[0].FileID)
	require.NoError(t, err)
	require.Equal(t, "image/png", http.DetectContentType(picture))

	b.press(t, anna, "Мой ключ")
	b.sees(t, anna, "нажмите, чтобы скопировать")
	b.press(t, anna, "QR-код")
	b.sees(t, anna, "Наведите на код камеру")
	b.press(t, anna, "Назад") // under a photo: a new message
	b.send(t, anna, "/profile")
	profile := b.sees(t, anna, "Подписка: Базовый, до ")
	require.Contains(t, profile.Text, "Баланс: 101 ₽")
	b.press(t, anna, "История")
	history := b.sees(t, anna, "История операций")
	require.Contains(t, history.Text, "Покупка с баланса: −399 ₽, баланс 101 ₽")
	require.Contains(t, history.Text, "Начисление: +500 ₽, баланс 500 ₽")
}

func TestTopUpByCryptoInEnglish(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bot := b.startBot(t)
	b.startWorker(t)
	b.serveCryptoWebhook(t, bot.db)
	bob := b.started(t, "Bob", "en")
	b.press(t, bob, "Profile")
	b.sees(t, bob, "Subscription: none")
	b.press(t, bob, "Top up")
	b.press(t, bob, "Another amount")
	b.sees(t, bob, "from 100 ₽ to 100 000 ₽")
	for _, wrong := range []string{"lots", "-5", "0", "1e3", "9999999999999999999"} {
		b.send(t, bob, wrong)
		b.waitLast(t, bob, "That is no amount I can use")
	}
	for _, wrong := range []string{"99", "100 000,01"} {
		b.send(t, bob, wrong)
		b.waitLast(t, bob, "That amount is out of range")
	}
	b.send(t, bob, "1 500,50 ₽")
	m := b.sees(t, bob, "Top-up of 1 500.50 ₽")
	_, hasBalance := person.FindButton(m, "balance")
	require.False(t, hasBalance, "a top-up is not paid from the balance")
	b.press(t, bob, "Crypto")
	invoice := b.sees(t, bob, "Open the invoice in Crypto Pay")
	button, _ := person.FindButton(invoice, "Go to payment")
	require.Equal(t, "The payment has not arrived yet. It usually takes up to a minute.", b.press(t, bob, "Check the payment").Text)

	b.press(t, bob, "Back")
	b.press(t, bob, "Crypto")
	again, _ := person.FindButton(b.sees(t, bob, "Open the invoice in Crypto Pay"), "Go to payment")
	require.Equal(t, button.URL, again.URL, "the invoice is shown again, not made again")
	require.Equal(t, 1, b.count(t, `select count(*)::int from billing.invoice`))
	b.control(t, http.MethodPost, fmt.Sprintf("/control/invoices/%d/pay", b.count(t, `select invoice_id::int from billing.invoice`)), "")
	b.sees(t, bob, "1 500.50 ₽ added to your balance.\nThe balance is now 1 500.50 ₽.")
	b.send(t, bob, "1500")
	b.sees(t, bob, "I understand buttons and commands")
}

// waitLast waits until the newest message of the bot contains the text.
func (b *bundle) waitLast(t *testing.T, p *person.Person, text string) botapi.ChatMessage {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	var last botapi.ChatMessage
	_, err := p.WaitChat(ctx, func(view botapi.ChatView) bool {
		last = view.Messages[len(view.Messages)-1]
		return last.IsOutgoing && strings.Contains(last.Text, text)
	})
	require.NoError(t, err, "in vain: %s", text)
	return last
}

func TestStarsAndCardInsideTelegram(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startWorker(t)
	_, err := b.db.Owner.Exec(b.ctx, `update billing.provider set is_offered = true where provider = 'telegram'`)
	require.NoError(t, err)
	bob := b.started(t, "Bob", "en")

	b.press(t, bob, "Buy VPN")
	b.press(t, bob, "Basic")
	b.press(t, bob, "1 month — 149 ₽")
	b.press(t, bob, "Telegram Stars: 88")
	stars := b.invoice(t, bob, "XTR")
	require.EqualValues(t, 88, stars.Invoice.TotalAmount)
	paid, err := bob.Pay(b.ctx, stars.MessageID)
	require.NoError(t, err)
	require.EqualValues(t, "paid", paid.Status, paid.ErrorMessage)
	b.sees(t, bob, "Payment received: Basic, 1 month, 149 ₽")
	b.sees(t, bob, "Your key is ready!")

	b.press(t, bob, "Back") // of the invoice
	b.sees(t, bob, "Basic, 1 month: paid")
	b.send(t, bob, "/buy")
	b.press(t, bob, "Plus")
	b.press(t, bob, "1 month — 299 ₽")
	b.sees(t, bob, "To pay: 299 ₽")
	b.press(t, bob, "Bank card")
	card := b.invoice(t, bob, "RUB")
	require.EqualValues(t, 29900, card.Invoice.TotalAmount)
	declined, err := bob.PayDeclined(b.ctx, card.MessageID)
	require.NoError(t, err)
	require.EqualValues(t, "declined", declined.Status)
	paid, err = bob.Pay(b.ctx, card.MessageID)
	require.NoError(t, err)
	require.EqualValues(t, "paid", paid.Status, paid.ErrorMessage)
	b.sees(t, bob, "Payment received: Plus, 1 month, 299 ₽")
	require.Equal(t, 2, b.count(t, `select count(*)::int from billing.payment where outcome = 'applied'`))
}

// TestStarsGoBack: Telegram gives Stars back, and what they bought is taken back.
func TestStarsGoBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	b.send(t, bob, "/buy")
	b.press(t, bob, "Basic")
	b.press(t, bob, "1 month — 149 ₽")
	b.press(t, bob, "Telegram Stars: 88")
	_, err := bob.Pay(b.ctx, b.invoice(t, bob, "XTR").MessageID)
	require.NoError(t, err)
	b.waitCount(t, 1, `select count(*)::int from billing.payment where outcome = 'applied'`)
	var charge string
	require.NoError(t, b.db.Owner.QueryRow(b.ctx, `select charge_id from billing.charge`).Scan(&charge))

	api, err := telego.NewBot(token, telego.WithAPIServer(b.api.URL), telego.WithHTTPClient(b.api.Client()), telego.WithDiscardLogger())
	require.NoError(t, err)
	require.NoError(t, api.RefundStarPayment(b.ctx, &telego.RefundStarPaymentParams{UserID: bob.ID, TelegramPaymentChargeID: charge}))
	b.waitCount(t, 1, `select count(*)::int from billing.payment p join billing.purchase u using (payment_id)
		where p.outcome = 'reversed' and u.status = 'refunded' and p.reversal_raw ->> 'total_amount' = '88'`)
	require.Zero(t, b.count(t, `select count(*)::int from subscription.subscription`))
}

func (b *bundle) invoice(t *testing.T, p *person.Person, currency string) botapi.ChatMessage {
	t.Helper()
	m, err := p.WaitMessage(b.ctx, func(m botapi.ChatMessage) bool { return m.Invoice != nil && m.Invoice.Currency == currency })
	require.NoError(t, err)
	return m
}

func TestCheckoutOfWhatCannotBePaidIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	b.send(t, bob, "/buy")
	b.press(t, bob, "Basic")
	b.press(t, bob, "1 month")
	b.press(t, bob, "Telegram Stars")
	stars := b.invoice(t, bob, "XTR")
	b.press(t, bob, "Cancel")
	b.sees(t, bob, ": cancelled.")
	result, err := bob.Pay(b.ctx, stars.MessageID)
	require.NoError(t, err)
	require.EqualValues(t, "refused", result.Status)
	require.Contains(t, result.ErrorMessage, "nothing was charged")
	require.Zero(t, b.count(t, `select count(*)::int from billing.payment`))
}

// TestNobodyWaitsForAnothersCheckout: two pay at once, and Telegram does not take the answer to one of them.
func TestNobodyWaitsForAnothersCheckout(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.startBot(t)
	results := make(chan botapi.PaymentResult, 2)
	var pays []func()
	for _, name := range []string{"Bob", "Eve"} {
		p := b.started(t, name, "en")
		b.send(t, p, "/buy")
		b.press(t, p, "Basic")
		b.press(t, p, "1 month")
		b.press(t, p, "Telegram Stars")
		bill := b.invoice(t, p, "XTR").MessageID
		pays = append(pays, func() {
			result, err := p.Pay(b.ctx, bill)
			assert.NoError(t, err)
			results <- result
		})
	}
	first.stop()
	require.NoError(t, b.people.AddFault(b.ctx, botapi.Fault{Method: "answerPreCheckoutQuery", Action: botapi.FaultDelay, DelayMS: 600_000, Count: 1}))
	for _, pay := range pays {
		go pay()
	}
	b.waitAtTelegram(t, 2)
	b.startBot(t)
	require.EqualValues(t, "paid", (<-results).Status)
	require.NotContains(t, b.log.String(), "could not answer a checkout", "it waited for the other's answer")
	<-results
}

func TestA1FiftyTapsOnPayByTwoBots(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startBot(t)
	b.startWorker(t)
	bob := b.started(t, "Bob", "en")
	b.credit(t, bob, 1000)
	b.send(t, bob, "/buy")
	b.press(t, bob, "Basic")
	b.press(t, bob, "1 month")
	m := b.sees(t, bob, "To pay: 149 ₽")
	button, ok := person.FindButton(m, "Pay from the balance")
	require.True(t, ok)
	var taps sync.WaitGroup
	for range 50 {
		taps.Go(func() {
			answer, err := bob.PressData(b.ctx, m.MessageID, button.CallbackData)
			if err == nil && !answer.IsAnswered {
				t.Error("a tap was not answered")
			}
		})
	}
	taps.Wait()
	b.sees(t, bob, "Basic, 1 month: paid")
	b.sees(t, bob, "Your key is ready!")
	require.Equal(t, 1, b.count(t, `select count(*)::int from ledger.transfer where telegram_id = $1 and reason = 'purchase'`, bob.ID))
	require.Equal(t, 1, b.count(t, `select count(*)::int from billing.purchase where telegram_id = $1 and status = 'paid'`, bob.ID))
	require.Equal(t, 1, strings.Count(b.chat(t, bob), "Your key is ready!"))
}

func TestNotEnoughMoney(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	b.send(t, bob, "/buy")
	b.press(t, bob, "Plus")
	b.press(t, bob, "12 months")
	b.press(t, bob, "Pay from the balance")
	b.sees(t, bob, "There is 0 ₽ on your balance, which is not enough")
	b.press(t, bob, "Back")
	b.sees(t, bob, "To pay: 2 299 ₽")
	require.Equal(t, "Cancelled", b.press(t, bob, "Cancel").Text)
	b.sees(t, bob, ": cancelled.")
}

func TestInvoicesAreLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.redis.SetTime(time.Now()) // and there it stands
	b.startBot(t)
	bob := b.started(t, "Bob", "en")
	b.send(t, bob, "/buy")
	b.press(t, bob, "Basic")
	b.press(t, bob, "1 month")
	m := b.sees(t, bob, "To pay")
	button, ok := person.FindButton(m, "Telegram Stars")
	require.True(t, ok)
	for range 6 {
		_, err := bob.PressData(b.ctx, m.MessageID, button.CallbackData)
		require.NoError(t, err)
	}
	b.sees(t, bob, "Too often. You can ask for another invoice in 12 seconds.")
	require.Equal(t, 5, strings.Count(b.chat(t, bob), "(invoice"))
}
