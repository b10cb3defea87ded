package screen

import (
	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
)

// BalanceArgs are of money that came to the balance or left it, and what is there now.
type BalanceArgs struct {
	Amount    atlas.Kopecks `json:"amount_kopecks"`
	Available atlas.Kopecks `json:"available_kopecks"`
}

// RefundedArgs are of a purchase that was taken back.
type RefundedArgs struct {
	BalanceArgs

	Tariff atlas.Tariff `json:"tariff"`
	Months int          `json:"months"`
}

// PaymentReversedArgs are of money that the provider took back; what was not there any more is debt.
type PaymentReversedArgs struct {
	Amount atlas.Kopecks `json:"amount_kopecks"`
	Debt   atlas.Kopecks `json:"debt_kopecks"`
}

// WithdrawalArgs are of a withdrawal; the first two are for admins, the reason is of one that was rejected.
type WithdrawalArgs struct {
	WithdrawalID int64         `json:"withdrawal_id"`
	TelegramID   int64         `json:"telegram_id"`
	Amount       atlas.Kopecks `json:"amount_kopecks"`
	Reason       string        `json:"reason"`
}

// Refunded tells that the price of a purchase is back on the balance.
func Refunded(t *i18n.Text, args RefundedArgs) Screen {
	return aboutMoney(t, t.HTML("notice.refunded", i18n.Args{
		"what": planName(t, args.Tariff, args.Months), "amount": args.Amount, "balance": args.Available,
	}))
}

// PaymentReversed tells that the provider took a payment back.
func PaymentReversed(t *i18n.Text, args PaymentReversedArgs) Screen {
	text := t.HTML("notice.payment_reversed", i18n.Args{"amount": args.Amount})
	if args.Debt > 0 {
		text = i18n.Join("\n", text, t.HTML("notice.debt", i18n.Args{"debt": args.Debt}))
	}
	return Screen{
		Text: text,
		Rows: [][]Button{row(press(t, "button.profile", VerbProfile), press(t, "button.support", VerbSupport)), toMenu(t)},
	}
}

// PromoUsedUp tells who paid late that the promo code had run out, and where the money is.
func PromoUsedUp(t *i18n.Text, args BalanceArgs) Screen {
	return Screen{
		Text: t.HTML("notice.promo_used_up", i18n.Args{"amount": args.Amount, "balance": args.Available}),
		Rows: [][]Button{row(press(t, "button.buy", VerbBuy), press(t, "button.profile", VerbProfile)), toMenu(t)},
	}
}

// ReferralTrial tells who invited somebody that they try the service.
func ReferralTrial(t *i18n.Text) Screen {
	return aboutReferrals(t, t.HTML("notice.referral_trial"))
}

// Cashback tells a referrer of a reward.
func Cashback(t *i18n.Text, args BalanceArgs) Screen {
	return aboutReferrals(t, t.HTML("notice.cashback", i18n.Args{"amount": args.Amount, "balance": args.Available}))
}

// CashbackClawedBack tells a referrer that a rewarded purchase was taken back.
func CashbackClawedBack(t *i18n.Text, args BalanceArgs) Screen {
	return aboutReferrals(t, t.HTML("notice.cashback_clawed_back", i18n.Args{
		"amount": args.Amount, "balance": args.Available,
	}))
}

// WithdrawalRequested asks an admin to decide.
func WithdrawalRequested(t *i18n.Text, args WithdrawalArgs) Screen {
	return Screen{
		Text: t.HTML("notice.withdrawal_requested", i18n.Args{
			"number": args.WithdrawalID, "id": args.TelegramID, "amount": args.Amount,
		}),
		Rows: [][]Button{row(press(t, "button.payout_open", VerbPayout, numbered(args.WithdrawalID))), toMenu(t)},
	}
}

// WithdrawalApproved tells that money is on its way.
func WithdrawalApproved(t *i18n.Text, args WithdrawalArgs) Screen {
	return aboutMoney(t, t.HTML("notice.withdrawal_approved", i18n.Args{"amount": args.Amount}))
}

// WithdrawalRejected tells why there is no payout; the money is on the balance again.
func WithdrawalRejected(t *i18n.Text, args WithdrawalArgs) Screen {
	return aboutMoney(t, t.HTML("notice.withdrawal_rejected", i18n.Args{
		"amount": args.Amount, "reason": clip(args.Reason),
	}))
}

func aboutReferrals(t *i18n.Text, text i18n.HTML) Screen {
	return Screen{
		Text: text,
		Rows: [][]Button{row(press(t, "button.loyalty", VerbLoyalty), press(t, "button.profile", VerbProfile)), toMenu(t)},
	}
}

func aboutMoney(t *i18n.Text, text i18n.HTML) Screen {
	return Screen{Text: text, Rows: [][]Button{row(press(t, "button.profile", VerbProfile)), toMenu(t)}}
}
