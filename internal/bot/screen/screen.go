// Package screen draws what people see: one builder per screen, from values that were read already. It asks nobody
// and computes nothing.
package screen

import (
	"github.com/mymmrac/telego"

	"atlas-secure/internal/i18n"
	"atlas-secure/internal/telegram"
)

// Telegram's limits, counted in characters.
const (
	MaxText    = 4096
	MaxCaption = 1024
	MaxLabel   = 64 // ours: longer ones are cut off on phones
	MaxData    = 64 // bytes
	MaxToast   = 200
	MaxCopy    = 256 // what a button copies
)

// Screen is one message: text with buttons, a photo with a caption, or an invoice.
type Screen struct {
	Text    i18n.HTML
	Rows    [][]Button
	PNG     []byte
	Invoice *telegram.Invoice
	// Toast is shown for a moment over the chat when the screen answers a button press. Without a Text, a PNG and an
	// Invoice it is the whole answer, and the message stays as it is.
	Toast string
}

// IsToastOnly says whether the message stays as it is.
func (s Screen) IsToastOnly() bool { return s.Text == "" && s.PNG == nil && s.Invoice == nil }

// Button is pressed (Data), followed (URL), copies a text (Copy), or pays an invoice.
type Button struct {
	Label string
	Data  string
	URL   string
	Copy  string // at most MaxCopy characters
	IsPay bool
}

// Message makes the screen a message to a chat.
func (s Screen) Message(chatID int64) telegram.Message {
	return telegram.Message{
		ChatID: chatID, HTML: string(s.Text), Keyboard: keyboard(s.Rows), PNG: s.PNG, Invoice: s.Invoice,
	}
}

func keyboard(rows [][]Button) *telego.InlineKeyboardMarkup {
	if len(rows) == 0 {
		return nil
	}
	markup := &telego.InlineKeyboardMarkup{InlineKeyboard: make([][]telego.InlineKeyboardButton, 0, len(rows))}
	for _, row := range rows {
		drawn := make([]telego.InlineKeyboardButton, 0, len(row))
		for _, b := range row {
			button := telego.InlineKeyboardButton{Text: b.Label, CallbackData: b.Data, URL: b.URL, Pay: b.IsPay}
			if b.Copy != "" {
				button.CopyText = &telego.CopyTextButton{Text: b.Copy}
			}
			drawn = append(drawn, button)
		}
		markup.InlineKeyboard = append(markup.InlineKeyboard, drawn)
	}
	return markup
}

// press is a button that leads to a verb.
func press(t *i18n.Text, key string, verb Verb, argument ...string) Button {
	return Button{Label: t.Plain(key), Data: verb.With(argument...)}
}

func row(buttons ...Button) []Button { return buttons }

// toMenu is the way back that every screen has.
func toMenu(t *i18n.Text) []Button { return row(press(t, "button.menu", VerbMenu)) }

// back leads one step up.
func back(t *i18n.Text, verb Verb, argument ...string) Button {
	return press(t, "button.back", verb, argument...)
}
