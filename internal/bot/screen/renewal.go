package screen

import (
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// The verbs of renewal.
const (
	VerbRenew      Verb = "renew" // the plan of the last purchase
	VerbRenewal    Verb = "renewal"
	VerbRenewalSet Verb = "renewal_set" // on or off
)

// What VerbRenewalSet carries.
const (
	RenewalOn  = "on"
	RenewalOff = "off"
)

// Renewal says what auto-renewal means, whether it is on, and what it would take and when.
func Renewal(t *i18n.Text, r sqlapi.Renewal) Screen {
	lines := []i18n.HTML{t.HTML("renewal.text")}
	if r.ExpiresAt == nil {
		return Screen{
			Text: i18n.Join("\n\n", append(lines, t.HTML("renewal.nothing"))...),
			Rows: [][]Button{row(press(t, "button.buy", VerbBuy)), row(back(t, VerbProfile)), toMenu(t)},
		}
	}
	s := Screen{Rows: [][]Button{row(press(t, "button.renewal_on", VerbRenewalSet, RenewalOn))}}
	state := t.HTML("renewal.is_off", i18n.Args{"until": *r.ExpiresAt})
	if r.AutoRenew {
		s.Rows = [][]Button{row(press(t, "button.renewal_off", VerbRenewalSet, RenewalOff))}
		state = t.HTML("renewal.is_on")
	}
	lines = append(lines, state, charge(t, r))
	if r.IsSold && r.Available < r.Price {
		lines = append(lines, t.HTML("renewal.too_little", i18n.Args{"balance": r.Available}))
		s.Rows = append(s.Rows, row(press(t, "button.topup", VerbTopup)))
	}
	s.Rows = append(s.Rows, row(back(t, VerbProfile)), toMenu(t))
	s.Text = i18n.Join("\n\n", lines...)
	return s
}

// charge says what auto-renewal would take.
func charge(t *i18n.Text, r sqlapi.Renewal) i18n.HTML {
	switch {
	case r.Tariff == "":
		return t.HTML("renewal.after_purchase")
	case !r.IsSold:
		return t.HTML("renewal.not_sold", i18n.Args{"what": planName(t, r.Tariff, r.Months)})
	default:
		return t.HTML("renewal.charge", i18n.Args{
			"what": planName(t, r.Tariff, r.Months), "price": r.Price, "at": *r.RenewsAt,
		})
	}
}
