package screen

import (
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
)

// KeyReadyArgs are of a key that is ready. These types are what the messages of the outbox carry.
type KeyReadyArgs struct {
	KeyURI    string       `json:"key_uri"`
	Tariff    atlas.Tariff `json:"tariff"`
	ExpiresAt time.Time    `json:"expires_at"`
}

// PaymentAppliedArgs are of a subscription that was paid.
type PaymentAppliedArgs struct {
	Price     atlas.Kopecks `json:"price_kopecks"`
	Tariff    atlas.Tariff  `json:"tariff"`
	Months    int           `json:"months"`
	ExpiresAt time.Time     `json:"expires_at"`
}

// PaymentCreditedArgs are of money that went to the balance, and why.
type PaymentCreditedArgs struct {
	Amount    atlas.Kopecks `json:"amount_kopecks"`
	Available atlas.Kopecks `json:"available_kopecks"`
	Reason    string        `json:"reason"`
}

// AlarmArgs are of something that an admin has to look at.
type AlarmArgs struct {
	Alarm   string `json:"alarm"`
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
}

// ComponentArgs are of something that the shop depends on and that went away, or came back.
type ComponentArgs struct {
	Component string    `json:"component"`
	Since     time.Time `json:"since"`
	Detail    string    `json:"detail"`
}

// ActivationFailedArgs are of a key that could not be made.
type ActivationFailedArgs struct {
	TelegramID int64  `json:"telegram_id"`
	Error      string `json:"error"`
}

// KeyFailed tells that the key will take longer.
func KeyFailed(t *i18n.Text) Screen {
	return Screen{Text: t.HTML("notice.key_failed"), Rows: [][]Button{row(press(t, "button.support", VerbSupport)), toMenu(t)}}
}

// PaymentApplied is the receipt of a subscription.
func PaymentApplied(t *i18n.Text, args PaymentAppliedArgs) Screen {
	return Screen{
		Text: i18n.Join("\n\n",
			t.HTML("notice.payment_applied", i18n.Args{
				"what": planName(t, args.Tariff, args.Months), "price": args.Price, "until": args.ExpiresAt,
			}),
			t.HTML("purchase.key_follows")),
		Rows: [][]Button{row(press(t, "button.instruction", VerbInstruction), press(t, "button.key", VerbKey)), toMenu(t)},
	}
}

// PaymentCredited tells of money that came to the balance.
func PaymentCredited(t *i18n.Text, args PaymentCreditedArgs) Screen {
	values := i18n.Args{"amount": args.Amount, "balance": args.Available}
	text := t.HTML("notice.payment_credited", values)
	if why := "word.credited_" + args.Reason; t.Has(why) {
		values["why"] = t.Plain(why)
		text = t.HTML("notice.payment_credited_because", values)
	}
	return Screen{
		Text: text,
		Rows: [][]Button{row(press(t, "button.buy", VerbBuy), press(t, "button.profile", VerbProfile)), toMenu(t)},
	}
}

// ReferralJoined tells who invited somebody.
func ReferralJoined(t *i18n.Text) Screen {
	return aboutReferrals(t, t.HTML("notice.referral_joined"))
}

// Alarm tells an admin what to look at.
func Alarm(t *i18n.Text, args AlarmArgs) Screen {
	return Screen{Text: t.HTML("notice.admin_alarm", i18n.Args{
		"alarm": clip(args.Alarm), "subject": clip(args.Subject), "detail": clip(args.Detail),
	}), Rows: [][]Button{toMenu(t)}}
}

// ComponentDown tells an admin what does not answer.
func ComponentDown(t *i18n.Text, args ComponentArgs) Screen {
	return Screen{Text: t.HTML("notice.component_down", i18n.Args{
		"component": componentAway(t, args.Component), "since": args.Since, "detail": clip(args.Detail),
	}), Rows: [][]Button{toMenu(t)}}
}

// ComponentUp tells an admin what answers again.
func ComponentUp(t *i18n.Text, args ComponentArgs) Screen {
	return Screen{Text: t.HTML("notice.component_up", i18n.Args{
		"component": componentName(t, args.Component), "since": args.Since,
	}), Rows: [][]Button{toMenu(t)}}
}

// componentAway names a component that does not answer, and what waits for it.
func componentAway(t *i18n.Text, component string) string {
	if name := "word.component_away_" + component; t.Has(name) {
		return t.Plain(name)
	}
	return componentName(t, component)
}

func componentName(t *i18n.Text, component string) string {
	if name := "word.component_" + component; t.Has(name) {
		return t.Plain(name)
	}
	return component
}

// ActivationFailed tells an admin whose key could not be made.
func ActivationFailed(t *i18n.Text, args ActivationFailedArgs) Screen {
	return Screen{
		Text: t.HTML("notice.activation_failed", i18n.Args{"id": args.TelegramID, "error": clip(args.Error)}),
		Rows: [][]Button{toMenu(t)},
	}
}

// maxQuoted keeps a quoted text within Telegram's limits, also when all of it has to be escaped.
const maxQuoted = 600

func clip(text string) string { return shorten(text, maxQuoted) }

// shorten leaves so many characters of a text, and says that there were more.
func shorten(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
