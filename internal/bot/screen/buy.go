package screen

import (
	"slices"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// Tariffs offers what is on sale; prices are in the order in which tariffs should stand.
func Tariffs(t *i18n.Text, prices []sqlapi.Price) Screen {
	s := tariffs(t, prices, VerbTariff)
	s.Rows = append(s.Rows, row(press(t, "button.corporate", VerbCorporate)), row(press(t, "button.promo", VerbPromo)), toMenu(t))
	return s
}

// tariffs draws what is on sale, for buttons of a verb.
func tariffs(t *i18n.Text, prices []sqlapi.Price, choose Verb) Screen {
	s := Screen{}
	lines := []i18n.HTML{t.HTML("buy.text")}
	for _, tariff := range tariffsOf(prices) {
		cheapest := slices.MinFunc(plansOf(prices, tariff), func(a, b sqlapi.Price) int { return a.Months - b.Months })
		lines = append(lines, t.HTML("buy.tariff", i18n.Args{
			"tariff":  tariffName(t, tariff),
			"devices": t.CountPlain("word.devices", cheapest.DeviceLimit),
			"period":  t.CountPlain("word.months", cheapest.Months),
			"price":   cheapest.List,
		}))
		s.Rows = append(s.Rows, row(Button{Label: tariffName(t, tariff), Data: choose.With(string(cheapest.OfferID))}))
	}
	s.Text = i18n.Join("\n\n", lines...)
	return s
}

// Plans offers the periods of an offer's tariff.
func Plans(t *i18n.Text, prices []sqlapi.Price, tariff atlas.Tariff) Screen {
	s := plans(t, prices, tariff, VerbPlan)
	s.Rows = append(s.Rows, row(back(t, VerbBuy)), toMenu(t))
	return s
}

// plans draws the periods of a tariff, for buttons of a verb.
func plans(t *i18n.Text, prices []sqlapi.Price, tariff atlas.Tariff, choose Verb) Screen {
	offered := plansOf(prices, tariff)
	s := Screen{Text: t.HTML("buy.periods", i18n.Args{
		"tariff": tariffName(t, tariff), "devices": t.CountPlain("word.devices", offered[0].DeviceLimit),
	})}
	for _, plan := range offered {
		s.Rows = append(s.Rows, row(Button{
			Label: t.Plain("button.plan", i18n.Args{"period": t.CountPlain("word.months", plan.Months), "price": plan.List}),
			Data:  choose.With(string(plan.OfferID)),
		}))
	}
	return s
}

func tariffsOf(prices []sqlapi.Price) []atlas.Tariff {
	var tariffs []atlas.Tariff
	for _, price := range prices {
		if !slices.Contains(tariffs, price.Tariff) {
			tariffs = append(tariffs, price.Tariff)
		}
	}
	return tariffs
}

func plansOf(prices []sqlapi.Price, tariff atlas.Tariff) []sqlapi.Price {
	var plans []sqlapi.Price
	for _, price := range prices {
		if price.Tariff == tariff {
			plans = append(plans, price)
		}
	}
	return plans
}

// WaysToPay are the ways that can be offered for a purchase now. Stars and card are empty where they are not.
type WaysToPay struct {
	Balance bool
	Crypto  bool
	Stars   int64 // how many, 0: not offered
	Card    bool
}

func (w WaysToPay) isNone() bool { return !w.Balance && !w.Crypto && w.Stars == 0 && !w.Card }

// Purchase shows a purchase in whatever state it is; ways and balance matter while it is open.
func Purchase(t *i18n.Text, p sqlapi.Purchase, ways WaysToPay, balance atlas.Kopecks) Screen {
	switch {
	case p.Status == atlas.PurchaseOpen && p.Kind == atlas.TopupPurchase:
		return openTopup(t, p, ways)
	case p.Status == atlas.PurchaseOpen:
		return openPurchase(t, p, ways, balance)
	case p.Status == atlas.PurchasePaid && p.Kind == atlas.TopupPurchase:
		return Screen{
			Text: t.HTML("topup.paid", i18n.Args{"amount": p.Price}),
			Rows: [][]Button{row(press(t, "button.buy", VerbBuy)), row(press(t, "button.profile", VerbProfile)), toMenu(t)},
		}
	case p.Status == atlas.PurchasePaid:
		return paid(t, p)
	default:
		return Screen{
			Text: t.HTML("purchase."+string(p.Status), i18n.Args{"what": What(t, p)}),
			Rows: [][]Button{row(startOver(t, p)), toMenu(t)},
		}
	}
}

// What names the thing bought.
func What(t *i18n.Text, p sqlapi.Purchase) string {
	if p.Kind == atlas.TopupPurchase {
		return t.Plain("word.topup", i18n.Args{"amount": p.Price})
	}
	return planName(t, p.Tariff, p.Months)
}

// priced names the thing bought and its price, which a top-up's name has already.
func priced(t *i18n.Text, p sqlapi.Purchase) string {
	if p.Kind == atlas.TopupPurchase {
		return What(t, p)
	}
	return t.Plain("word.priced", i18n.Args{"what": What(t, p), "price": p.Price})
}

func startOver(t *i18n.Text, p sqlapi.Purchase) Button {
	if p.Kind == atlas.TopupPurchase {
		return press(t, "button.topup", VerbTopup)
	}
	return press(t, "button.buy", VerbBuy)
}

func openPurchase(t *i18n.Text, p sqlapi.Purchase, ways WaysToPay, balance atlas.Kopecks) Screen {
	lines := []i18n.HTML{
		t.HTML("purchase.head", i18n.Args{"what": What(t, p)}),
		price(t, p),
	}
	if p.SubscriptionExpiresAt != nil {
		lines = append(lines, t.HTML("purchase.until", i18n.Args{"until": *p.SubscriptionExpiresAt}))
	}
	if p.SwitchKind != "" {
		lines = append(lines, t.HTML("purchase.switch_"+string(p.SwitchKind)))
	}
	lines = append(lines,
		t.HTML("purchase.balance", i18n.Args{"balance": balance}),
		t.HTML("purchase.valid", i18n.Args{"until": p.ExpiresAt}))
	if ways.isNone() {
		lines = append(lines, t.HTML("purchase.no_ways"))
	}
	s := Screen{Text: i18n.Join("\n", lines...)}
	if ways.Balance {
		key := "button.pay_balance"
		if p.Price == 0 {
			key = "button.pay_free"
		}
		s.Rows = append(s.Rows, row(press(t, key, VerbPay, string(p.PurchaseID))))
	}
	s.Rows = append(s.Rows, payRows(t, p, ways)...)
	s.Rows = append(s.Rows, row(press(t, "button.promo", VerbPromo, string(p.PurchaseID))))
	toPlans := back(t, VerbTariff, string(p.OfferID))
	if p.OfferID == "" {
		toPlans = back(t, VerbBuy)
	}
	s.Rows = append(s.Rows,
		row(toPlans, press(t, "button.cancel", VerbCancel, string(p.PurchaseID))))
	return s
}

func price(t *i18n.Text, p sqlapi.Purchase) i18n.HTML {
	if p.DiscountKind == atlas.NoDiscount {
		return t.HTML("purchase.price", i18n.Args{"price": p.Price})
	}
	return t.HTML("purchase.price_discounted", i18n.Args{
		"price": p.Price, "list": p.List, "percent": p.DiscountPercent,
		"discount": t.Plain("word.discount_" + string(p.DiscountKind)),
	})
}

// payRows are the buttons of the providers.
func payRows(t *i18n.Text, p sqlapi.Purchase, ways WaysToPay) [][]Button {
	var rows [][]Button
	if ways.Card {
		rows = append(rows, row(press(t, "button.pay_card", VerbCard, string(p.PurchaseID))))
	}
	if ways.Crypto {
		rows = append(rows, row(press(t, "button.pay_crypto", VerbCrypto, string(p.PurchaseID))))
	}
	if ways.Stars > 0 {
		rows = append(rows, row(Button{
			Label: t.Plain("button.pay_stars", i18n.Args{"stars": ways.Stars}),
			Data:  VerbStars.With(string(p.PurchaseID)),
		}))
	}
	return rows
}

func openTopup(t *i18n.Text, p sqlapi.Purchase, ways WaysToPay) Screen {
	lines := []i18n.HTML{
		t.HTML("purchase.head", i18n.Args{"what": What(t, p)}),
		t.HTML("purchase.pay_until", i18n.Args{"until": p.ExpiresAt}),
	}
	if ways.isNone() {
		lines = append(lines, t.HTML("purchase.no_ways"))
	}
	rows := append(payRows(t, p, ways),
		row(back(t, VerbTopup), press(t, "button.cancel", VerbCancel, string(p.PurchaseID))))
	return Screen{Text: i18n.Join("\n", lines...), Rows: rows}
}

func paid(t *i18n.Text, p sqlapi.Purchase) Screen {
	s := Screen{
		Text: t.HTML("purchase.paid", i18n.Args{"what": What(t, p)}),
		Rows: [][]Button{row(press(t, "button.instruction", VerbInstruction), press(t, "button.key", VerbKey)), toMenu(t)},
	}
	if p.SubscriptionExpiresAt != nil {
		s.Text = i18n.Join("\n", s.Text, t.HTML("purchase.active_until", i18n.Args{"until": *p.SubscriptionExpiresAt}))
	}
	key := "purchase.key_follows"
	if p.KeepsKey {
		key = "purchase.key_stays"
	}
	s.Text = i18n.Join("\n\n", s.Text, t.HTML(key))
	return s
}

// Paid answers a payment from the balance.
func Paid(t *i18n.Text, p sqlapi.Purchase, balance atlas.Kopecks) Screen {
	s := Purchase(t, p, WaysToPay{}, balance)
	s.Text = i18n.Join("\n\n", s.Text, t.HTML("purchase.balance_left", i18n.Args{"balance": balance}))
	return s
}

// NotEnough answers a payment that the balance does not cover.
func NotEnough(t *i18n.Text, purchase atlas.PurchaseID, balance atlas.Kopecks) Screen {
	return Screen{
		Text: t.HTML("purchase.not_enough", i18n.Args{"balance": balance}),
		Rows: [][]Button{
			row(press(t, "button.topup", VerbTopup)),
			row(back(t, VerbShow, string(purchase))),
			toMenu(t),
		},
	}
}

// CryptoInvoice leads to the payment in Crypto Pay.
func CryptoInvoice(t *i18n.Text, p sqlapi.Purchase, payURL string) Screen {
	return Screen{
		Text: t.HTML("crypto.text", i18n.Args{"what": priced(t, p), "until": p.ExpiresAt}),
		Rows: [][]Button{
			row(Button{Label: t.Plain("button.open_crypto"), URL: payURL}),
			row(press(t, "button.check", VerbCheck, string(p.PurchaseID))),
			row(back(t, VerbShow, string(p.PurchaseID))),
		},
	}
}
