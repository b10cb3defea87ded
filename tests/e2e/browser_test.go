package e2e

import (
	"testing"

	"github.com/skip2/go-qrcode"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
)

// visit is one person's first visit: on what kind of screen, and in which language.
type visit struct {
	name          string
	width, height int64
	isPhone       bool
	isDark        bool
	person        string
	words         words
}

// words are the buttons to press and the texts to wait for, in the order of use.
type words struct {
	code, language, menu, profile, profileText, topup, topupText, typed, typedText, topupOf, crypto, cryptoText, openInvoice,
	credited, buy, buyText, basic, basicText, month, monthText, pay, paid, receipt, keyReady string
}

var visits = []visit{
	{
		name: "desktop", width: 1280, height: 860, person: "Анна",
		words: words{
			code: "ru", language: "Русский", menu: "это Atlas Secure", profile: "Профиль", profileText: "Подписка: нет",
			topup: "Пополнить баланс", topupText: "Пополнение баланса", typed: "Другая сумма", typedText: "Напишите сумму",
			topupOf: "Пополнение на 500", crypto: "Криптовалюта", cryptoText: "Откройте счёт", openInvoice: "Перейти к оплате",
			credited: "На баланс зачислено 500", buy: "Купить VPN", buyText: "Выберите тариф", basic: "Базовый",
			basicText: "На какой срок", month: "1 месяц", monthText: "Ваш баланс: 500", pay: "Оплатить с баланса",
			paid: "На балансе осталось 351", receipt: "Оплата принята", keyReady: "Ключ готов!",
		},
	},
	{
		name: "phone", width: 390, height: 844, isPhone: true, person: "Bert",
		words: words{
			code: "en", language: "English", menu: "this is Atlas Secure", profile: "Profile", profileText: "Subscription: none",
			topup: "Top up", topupText: "Top up your balance", typed: "Another amount", typedText: "Type an amount",
			topupOf: "Top-up of 500", crypto: "Crypto", cryptoText: "Open the invoice", openInvoice: "Go to payment",
			credited: "500 ₽ added to your balance", buy: "Buy VPN", buyText: "Choose a plan", basic: "Basic",
			basicText: "For how long", month: "1 month", monthText: "Your balance: 500", pay: "Pay from the balance",
			paid: "351 ₽ left on the balance", receipt: "Payment received", keyReady: "Your key is ready!",
		},
	},
}

// TestBrowserFirstKey is the main job in a real browser: from Start to a key, with 500 roubles topped up on the way.
func TestBrowserFirstKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shots := newAlbum(t)
	for _, v := range visits {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			b := b.in(t)
			p := openPage(b, v, shots)
			p.shot("chat page")
			p.addPerson(v.person, v.words.code)
			p.shot("new person")
			p.firstKey(v.words)

			bought := p.customer()
			b.paidOnce(bought)
			b.reconciled()
			b.qrShowsKey(bought, p.key())
		})
	}
}

// firstKey goes all the way.
func (p *page) firstKey(w words) {
	p.click(p.inChat(`//button[@data-testid="start"]`))
	p.sees("Choose your language")
	p.shot("language")
	p.press(w.language, w.menu)
	p.shot("menu")

	p.press(w.profile, w.profileText)
	p.shot("profile")
	p.press(w.topup, w.topupText)
	p.press(w.typed, w.typedText)
	p.shot("amount asked")
	p.types("500")
	p.sees(w.topupOf)
	p.shot("top-up")
	p.press(w.crypto, w.cryptoText)
	p.shot("invoice in the chat")
	p.payElsewhere(w.openInvoice)
	p.sees(w.credited)
	p.shot("credited")

	p.press(w.buy, w.buyText)
	p.shot("tariffs")
	p.press(w.basic, w.basicText)
	p.shot("periods")
	p.press(w.month, w.monthText)
	p.shot("confirm")
	p.press(w.pay, w.paid)
	p.sees(w.receipt) // it may come last, and would move the picture away from under the pointer
	p.sees(w.keyReady)
	p.hasPicture(w.keyReady)
	p.shot("key")
	p.click(p.inChat(`(//button[@data-testid="photo"])[last()]`))
	p.hasEnlarged()
	p.shot("QR code")
}

// qrShowsKey checks that the picture under the key says the key.
func (b *bundle) qrShowsKey(c *customer, shown string) {
	b.Helper()
	m, err := c.WaitMessage(c.ctx, func(m botapi.ChatMessage) bool { return len(m.Photo) > 0 })
	require.NoError(b, err)
	require.Equal(b, shown, keyIn(m), "the page shows the key that was sent")
	current := b.One("subscription.current", A{"p_telegram_id": c.id()})
	require.Equal(b, shown, current["key_uri"])
	sent, err := c.File(c.ctx, m.Photo[0].FileID)
	require.NoError(b, err)
	drawn, err := qrcode.Encode(shown, qrcode.Medium, m.Photo[0].Width)
	require.NoError(b, err)
	require.Equal(b, drawn, sent, "the picture is the key as a QR code")
}
