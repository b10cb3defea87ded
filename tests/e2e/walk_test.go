package e2e

import (
	"net/http"

	"github.com/stretchr/testify/require"
)

// labels are the buttons of the walk in the order of use.
type labels struct {
	language, buy, basic, month, cancel, payBalance, back, topup, typed, crypto, openCrypto, check, profile, history, key,
	qr, instruction, phone, menu, settings, languages, help, info, privacy, stars, support string
}

var labelsIn = map[string]labels{
	"ru": {
		language: "Русский", buy: "Купить VPN", basic: "Базовый", month: "1 месяц", cancel: "Отменить",
		payBalance: "Оплатить с баланса", back: "Назад", topup: "Пополнить баланс", typed: "Другая сумма",
		crypto: "Криптовалюта", openCrypto: "Перейти к оплате", check: "Проверить оплату", profile: "Профиль",
		history: "История", key: "Мой ключ", qr: "QR-код", instruction: "Инструкция", phone: "iPhone", menu: "Главное меню",
		settings: "Настройки", languages: "Язык", help: "Помощь", info: "О сервисе", privacy: "Данные", stars: "Stars",
		support: "Поддержка",
	},
	"en": {
		language: "English", buy: "Buy VPN", basic: "Basic", month: "1 month", cancel: "Cancel",
		payBalance: "Pay from the balance", back: "Back", topup: "Top up", typed: "Another amount",
		crypto: "Crypto", openCrypto: "Go to payment", check: "Check the payment", profile: "Profile",
		history: "History", key: "My key", qr: "QR code", instruction: "How to connect", phone: "iPhone", menu: "Main menu",
		settings: "Settings", languages: "Language", help: "Help", info: "About", privacy: "Data", stars: "Stars",
		support: "Support",
	},
}

// through is the walk: a first visit, money, a purchase, a look round.
func (w *walk) through(language string) {
	w.Helper()
	l := labelsIn[language]
	w.writes("/start", 1)
	w.presses(l.language, 1)

	w.text.WriteString("── A purchase without money ──\n\n")
	w.presses(l.key, 1)
	w.presses(l.menu, 1)
	w.presses(l.buy, 1)
	w.presses(l.basic, 1)
	w.presses(l.month, 1)
	w.presses(l.payBalance, 1)
	w.presses(l.back, 1)
	w.presses(l.cancel, 1)

	w.text.WriteString("── Money ──\n\n")
	w.writes("/profile", 1)
	w.presses(l.history, 1)
	w.presses(l.topup, 1)
	w.presses(l.typed, 1)
	w.writes("много / a lot", 1)
	w.writes("500", 1)
	w.presses(l.crypto, 1)
	w.presses(l.check, 0)
	w.payInvoice(w.address(l.openCrypto))
	w.happens("pays in Crypto Pay", 1)
	w.presses(l.check, 1)

	w.text.WriteString("── A purchase ──\n\n")
	w.presses(l.buy, 1)
	w.presses(l.basic, 1)
	w.presses(l.month, 1)
	w.presses(l.payBalance, 3)
	w.presses(l.key, 1)
	w.presses(l.qr, 1)
	w.writes("/profile", 1)
	w.presses(l.history, 1)

	w.text.WriteString("── A look round ──\n\n")
	w.writes("/instruction", 1)
	w.presses(l.phone, 1)
	w.writes("/help", 1)
	w.presses(l.menu, 1)
	w.presses(l.support, 1)
	w.writes("/paysupport", 1)
	w.writes("/language", 1)
	w.presses(l.language, 1)
	w.presses(l.settings, 1)
	w.presses(l.info, 1)
	w.presses(l.back, 1)
	w.presses(l.privacy, 1)
	w.writes("hello", 1)
	w.writes("/nosuchcommand", 1)

	w.text.WriteString("── Stars ──\n\n")
	w.writes("/buy", 1)
	w.presses(l.basic, 1)
	w.presses(l.month, 1)
	w.presses(l.stars, 1)
	w.payStars()
	w.happens("pays the invoice", 1)
}

// payStars pays the invoice at the end of the chat.
func (w *walk) payStars() {
	w.Helper()
	last := w.seen.Messages[len(w.seen.Messages)-1]
	result, err := w.customer.Pay(w.customer.ctx, last.MessageID)
	w.must(err)
	require.Equal(w, "paid", string(result.Status), result.ErrorMessage)
}

// payInvoice presses Pay on the page of fake Crypto Pay, as a browser would.
func (w *walk) payInvoice(address string) {
	w.Helper()
	request, err := http.NewRequestWithContext(w.customer.ctx, http.MethodPost, address, http.NoBody)
	w.must(err)
	response, err := http.DefaultClient.Do(request)
	w.must(err)
	require.NoError(w, response.Body.Close())
	require.Equal(w, http.StatusOK, response.StatusCode, address)
}
