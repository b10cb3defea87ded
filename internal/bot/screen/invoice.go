package screen

import (
	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/telegram"
)

// Invoice is a purchase as an invoice that is paid inside Telegram. The provider's token is empty for Stars.
func Invoice(t *i18n.Text, p sqlapi.Purchase, way sqlapi.WayToPay, providerToken string) Screen {
	label := t.Plain("button.pay_now")
	if way.Currency == atlas.XTR {
		label = t.Plain("button.pay_now_stars", i18n.Args{"stars": way.AmountMinor})
	}
	return Screen{
		Invoice: &telegram.Invoice{
			Title:         t.Plain("invoice.title"),
			Description:   t.Plain("invoice.description", i18n.Args{"what": What(t, p)}),
			Label:         t.Plain("invoice.title"),
			Payload:       string(p.PurchaseID),
			ProviderToken: providerToken,
			Currency:      string(way.Currency),
			Amount:        int(way.AmountMinor),
		},
		Rows: [][]Button{
			row(Button{Label: label, IsPay: true}),
			row(back(t, VerbShow, string(p.PurchaseID))),
		},
	}
}

// InSuspense tells a payer that the money has come and is being looked at.
func InSuspense(t *i18n.Text) Screen {
	return Screen{
		Text: t.HTML("payment.suspense"),
		Rows: [][]Button{row(press(t, "button.support", VerbSupport)), toMenu(t)},
	}
}
