package screen

import (
	"math"
	"time"

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
	case atlas.ErrNoSuchPromo.Code, atlas.ErrPromoExpired.Code, atlas.ErrPromoUsedUp.Code, atlas.ErrPromoDisabled.Code,
		atlas.ErrPromoUserLimit.Code, atlas.ErrPromoMalformed.Code:
		s.Rows = append(s.Rows, row(press(t, "button.promo", VerbPromo)), row(press(t, "button.buy", VerbBuy)))
	case atlas.ErrNoSuchWithdrawal.Code, atlas.ErrWithdrawalNotPending.Code, atlas.ErrWithdrawalBelowMinimum.Code,
		atlas.ErrTooManyWithdrawals.Code:
		s.Rows = append(s.Rows, row(press(t, "button.withdraw", VerbWithdraw)))
	case atlas.ErrUserIsBlocked.Code:
		s.Rows = append(s.Rows, row(press(t, "button.support", VerbSupport)))
	}
	s.Rows = append(s.Rows, toMenu(t))
	return s
}

// secondsUpTo is the longest wait that is told in seconds.
const secondsUpTo = 90 * time.Second

// minutesUpTo is the longest wait that is told in minutes.
const minutesUpTo = 90 * time.Minute

// TooOften says how long to wait with an action that is limited.
func TooOften(t *i18n.Text, action string, wait time.Duration, back ...Button) Screen {
	when := t.CountPlain("word.in_seconds", int(math.Ceil(wait.Seconds())))
	if wait > secondsUpTo {
		when = t.CountPlain("word.in_minutes", int(math.Ceil(wait.Minutes())))
	}
	if wait > minutesUpTo {
		when = t.CountPlain("word.in_hours", int(math.Ceil(wait.Hours())))
	}
	s := Screen{Text: t.HTML("limit."+action, i18n.Args{"when": when})}
	if len(back) > 0 {
		s.Rows = append(s.Rows, back)
	}
	s.Rows = append(s.Rows, toMenu(t))
	return s
}

// ToPurchase leads back to a purchase.
func ToPurchase(t *i18n.Text, purchase atlas.PurchaseID) Button {
	return back(t, VerbShow, string(purchase))
}

// ProviderDown says that one way to pay does not work now.
func ProviderDown(t *i18n.Text, purchase atlas.PurchaseID) Screen {
	return Screen{
		Text: t.HTML("payment.provider_down"),
		Rows: [][]Button{row(back(t, VerbShow, string(purchase))), toMenu(t)},
	}
}
