package screen

import (
	"net/url"
	"strings"

	"atlas-secure/internal/i18n"
)

// Platform is what a person reads instructions for.
type Platform string

// Platforms, in the order in which they are offered, with the application that the guide speaks of.
var platforms = []struct {
	platform Platform
	url      string
}{
	{"ios", "https://apps.apple.com/app/streisand/id6450534064"},
	{"android", "https://github.com/hiddify/hiddify-app/releases"},
	{"windows", "https://github.com/hiddify/hiddify-app/releases"},
	{"macos", "https://github.com/hiddify/hiddify-app/releases"},
	{"linux", "https://github.com/hiddify/hiddify-app/releases"},
	{"android_tv", "https://play.google.com/store/apps/details?id=app.hiddify.com"},
}

// Instruction asks for the platform.
func Instruction(t *i18n.Text) Screen {
	s := Screen{Text: t.HTML("instruction.text")}
	for i := 0; i < len(platforms); i += 2 {
		var pair []Button
		for _, p := range platforms[i:min(i+2, len(platforms))] {
			pair = append(pair, press(t, "button.guide_"+string(p.platform), VerbGuide, string(p.platform)))
		}
		s.Rows = append(s.Rows, pair)
	}
	s.Rows = append(s.Rows, row(press(t, "button.key", VerbKey)), toMenu(t))
	return s
}

// Guide tells how to use the key on a platform; false if there is no such platform.
func Guide(t *i18n.Text, platform Platform) (Screen, bool) {
	for _, p := range platforms {
		if p.platform == platform {
			return Screen{
				Text: t.HTML("guide." + string(platform)),
				Rows: [][]Button{
					row(Button{Label: t.Plain("button.install"), URL: p.url}),
					row(press(t, "button.key", VerbKey), press(t, "button.qr", VerbQR)),
					row(back(t, VerbInstruction)),
					toMenu(t),
				},
			}, true
		}
	}
	return Screen{}, false
}

// Help lists the commands.
func Help(t *i18n.Text) Screen { return page(t, t.HTML("help.text")) }

// Info says what the service is.
func Info(t *i18n.Text) Screen { return page(t, t.HTML("info.text")) }

// Privacy says what is kept and for how long.
func Privacy(t *i18n.Text) Screen { return page(t, t.HTML("privacy.text")) }

func page(t *i18n.Text, text i18n.HTML) Screen {
	return Screen{Text: text, Rows: [][]Button{row(back(t, VerbSettings)), toMenu(t)}}
}

// Support tells whom to write to, and the person's own number, which support will ask for.
func Support(t *i18n.Text, contact string, telegramID int64) Screen {
	return support(t, t.HTML("support.text", i18n.Args{"id": telegramID}), contact)
}

// PaymentSupport is Support about payments, as Telegram wants it from bots that take Stars.
func PaymentSupport(t *i18n.Text, contact string, telegramID int64) Screen {
	return support(t, t.HTML("support.payments", i18n.Args{"id": telegramID}), contact)
}

func support(t *i18n.Text, text i18n.HTML, contact string) Screen {
	s := Screen{Text: text}
	if link := contactLink(contact); link != "" {
		s.Rows = append(s.Rows, row(Button{Label: t.Plain("button.write_support"), URL: link}))
	} else if contact != "" {
		s.Text = i18n.Join("\n\n", s.Text, t.HTML("support.contact", i18n.Args{"contact": contact}))
	}
	s.Rows = append(s.Rows, toMenu(t))
	return s
}

// contactLink makes a link of @name or an https address; anything else (a mail address) is shown as it is.
func contactLink(contact string) string {
	if name, isName := strings.CutPrefix(contact, "@"); isName && name != "" {
		return "https://t.me/" + url.PathEscape(name)
	}
	if strings.HasPrefix(contact, "https://") {
		return contact
	}
	return ""
}
