package screen

import (
	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// AskPromo asks to type a code; the purchase that it is for may be empty.
func AskPromo(t *i18n.Text, purchase atlas.PurchaseID) Screen {
	return Screen{Text: t.HTML("promo.ask"), Rows: leavePromo(t, purchase)}
}

// WrongPromo asks again, after a code that cannot be used, for the reason that its refusal has a text for.
func WrongPromo(t *i18n.Text, code string, purchase atlas.PurchaseID) Screen {
	return Screen{Text: i18n.Join("\n\n", t.HTML("error."+code), t.HTML("promo.again")), Rows: leavePromo(t, purchase)}
}

func leavePromo(t *i18n.Text, purchase atlas.PurchaseID) [][]Button {
	if purchase != "" {
		return [][]Button{row(press(t, "button.leave", VerbShow, string(purchase)))}
	}
	return [][]Button{row(press(t, "button.leave", VerbBuy))}
}

// PromoTariffs is Tariffs for somebody who has given a promo code.
func PromoTariffs(t *i18n.Text, prices []sqlapi.Price, promo sqlapi.PromoCode) Screen {
	s := tariffs(t, prices, VerbPromoTariff)
	lines := []i18n.HTML{t.HTML("promo.accepted", i18n.Args{"code": promo.Code, "percent": promo.DiscountPercent})}
	if promo.ExpiresAt != nil {
		lines = append(lines, t.HTML("promo.until", i18n.Args{"until": *promo.ExpiresAt}))
	}
	s.Text = i18n.Join("\n\n", i18n.Join("\n", lines...), s.Text)
	s.Rows = append(s.Rows, row(press(t, "button.leave", VerbBuy)), toMenu(t))
	return s
}

// PromoPlans is Plans for somebody who has given a promo code.
func PromoPlans(t *i18n.Text, prices []sqlapi.Price, tariff atlas.Tariff, code string) Screen {
	s := plans(t, prices, tariff, VerbPromoPlan)
	s.Text = i18n.Join("\n\n", s.Text, t.HTML("promo.next", i18n.Args{"code": code}))
	s.Rows = append(s.Rows, row(back(t, VerbPromoTariffs)), toMenu(t))
	return s
}

// WithPromo adds to the confirm screen of a purchase that was opened with a promo code which discount won, and why.
func WithPromo(t *i18n.Text, s Screen, opened sqlapi.OpenedPurchase) Screen {
	why := t.HTML("promo.won", i18n.Args{"percent": opened.DiscountPercent})
	if opened.DiscountKind != atlas.PromoDiscount {
		why = t.HTML("promo.lost", i18n.Args{
			"percent": opened.DiscountPercent, "discount": t.Plain("word.discount_" + string(opened.DiscountKind)),
		})
	}
	s.Text = i18n.Join("\n\n", s.Text, why)
	return s
}
