package screen

import (
	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
)

// Failure explains a refusal by its code, and offers what helps. Without a code it says that something went wrong, under
// the number that logs know it by.
func Failure(t *i18n.Text, code, correlationID string) Screen {
	key := "error." + code
	if code == "" || !t.Has(key) {
		return Screen{Text: t.HTML("error.other", i18n.Args{"number": correlationID}), Rows: [][]Button{
			row(press(t, "button.support", VerbSupport)), toMenu(t),
		}}
	}
	s := Screen{Text: t.HTML(key)}
	switch code {
	case atlas.ErrInsufficientFunds.Code, atlas.ErrTopupOutOfRange.Code:
		s.Rows = append(s.Rows, row(press(t, "button.topup", VerbTopup)))
	case atlas.ErrNoSuchPurchase.Code, atlas.ErrPurchaseExpired.Code, atlas.ErrPurchaseNotOpen.Code,
		atlas.ErrNoSuchPlan.Code, atlas.ErrNoSubscription.Code:
		s.Rows = append(s.Rows, row(press(t, "button.buy", VerbBuy)))
	case atlas.ErrUserIsBlocked.Code:
		s.Rows = append(s.Rows, row(press(t, "button.support", VerbSupport)))
	}
	s.Rows = append(s.Rows, toMenu(t))
	return s
}

// TooOften asks to wait before starting another payment.
func TooOften(t *i18n.Text, seconds int, purchase atlas.PurchaseID) Screen {
	return Screen{
		Text: t.CountHTML("limit.payments", seconds),
		Rows: [][]Button{row(back(t, VerbShow, string(purchase))), toMenu(t)},
	}
}

// ProviderDown says that one way to pay does not work now.
func ProviderDown(t *i18n.Text, purchase atlas.PurchaseID) Screen {
	return Screen{
		Text: t.HTML("payment.provider_down"),
		Rows: [][]Button{row(back(t, VerbShow, string(purchase))), toMenu(t)},
	}
}
