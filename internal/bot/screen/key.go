package screen

import (
	"fmt"
	"unicode/utf8"

	"github.com/skip2/go-qrcode"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// Key shows the key, or why there is none.
func Key(t *i18n.Text, s sqlapi.CurrentSubscription) Screen {
	switch {
	case s.Status == atlas.NoSubscription:
		return withoutKey(t, "key.none", press(t, "button.buy", VerbBuy))
	case s.Status == atlas.ExpiredSubscription:
		return withoutKey(t, "key.expired", press(t, "button.renew", VerbRenew))
	case s.Activation == atlas.ActivationFailed:
		return withoutKey(t, "key.failed", press(t, "button.support", VerbSupport))
	case s.KeyURI == "":
		return withoutKey(t, "key.pending", press(t, "button.refresh", VerbKey))
	}
	return Screen{
		Text: t.HTML("key.text", i18n.Args{"key": s.KeyURI.Reveal()}),
		Rows: append(copyKey(t, s.KeyURI),
			row(press(t, "button.qr", VerbQR), press(t, "button.instruction", VerbInstruction)),
			row(press(t, "button.reissue", VerbReissue)),
			row(back(t, VerbProfile)),
			toMenu(t)),
	}
}

// copyKey is a button that copies the key, where it is short enough for one. Telegram's buttons lead to http, https and tg
// links only, so that no button can hand the key to an application.
func copyKey(t *i18n.Text, key atlas.KeyURI) [][]Button {
	if utf8.RuneCountInString(key.Reveal()) > MaxCopy {
		return nil
	}
	return [][]Button{row(Button{Label: t.Plain("button.copy_key"), Copy: key.Reveal()})}
}

func withoutKey(t *i18n.Text, key string, next Button) Screen {
	return Screen{Text: t.HTML(key), Rows: [][]Button{row(next), row(back(t, VerbProfile)), toMenu(t)}}
}

// QR shows the key as a picture.
func QR(t *i18n.Text, key atlas.KeyURI) (Screen, error) {
	png, err := qr(key)
	if err != nil {
		return Screen{}, err
	}
	return Screen{
		Text: t.HTML("key.qr"),
		PNG:  png,
		Rows: [][]Button{row(press(t, "button.instruction", VerbInstruction)), row(back(t, VerbKey))},
	}, nil
}

// qrPixels is the size of the picture: a link of 400 characters stays readable from a screen.
const qrPixels = 640

func qr(key atlas.KeyURI) ([]byte, error) {
	png, err := qrcode.Encode(key.Reveal(), qrcode.Medium, qrPixels)
	if err != nil {
		return nil, fmt.Errorf("qr code of a key of %d bytes: %w", len(key), err)
	}
	return png, nil
}

// KeyReady brings the key, as a picture with the text under it, or as text alone where it is too long for that.
func KeyReady(t *i18n.Text, args KeyReadyArgs) Screen {
	s := Screen{
		Text: t.HTML("notice.key_ready", i18n.Args{
			"tariff": tariffName(t, args.Tariff), "until": args.ExpiresAt, "key": args.KeyURI,
		}),
		Rows: append(copyKey(t, atlas.KeyURI(args.KeyURI)),
			row(press(t, "button.instruction", VerbInstruction), press(t, "button.key", VerbKey)), toMenu(t)),
	}
	if png, err := qr(atlas.KeyURI(args.KeyURI)); err == nil && utf8.RuneCountInString(string(s.Text)) <= MaxCaption {
		s.PNG = png
	}
	return s
}
