package screen

import (
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
)

// PeriodArgs are of a trial or a subscription that is running out, or has.
type PeriodArgs struct {
	Tariff    atlas.Tariff `json:"tariff"`
	ExpiresAt time.Time    `json:"expires_at"`
}

// RenewalArgs are of an automatic renewal; the price is what was, or would have been, taken.
type RenewalArgs struct {
	Price     atlas.Kopecks `json:"amount_kopecks"`
	ExpiresAt time.Time     `json:"expires_at"`
}

// ReasonArgs are of what an admin did, in the admin's words.
type ReasonArgs struct {
	Reason string `json:"reason"`
}

// TrialAfterHours asks, some hours into a trial, whether it works.
func TrialAfterHours(t *i18n.Text) Screen {
	return Screen{
		Text: t.HTML("notice.trial_6h"),
		Rows: [][]Button{row(press(t, "button.key", VerbKey), press(t, "button.instruction", VerbInstruction)),
			row(press(t, "button.support", VerbSupport)), toMenu(t)},
	}
}

// TrialAfterDays reminds of the end two days into a trial.
func TrialAfterDays(t *i18n.Text, args PeriodArgs) Screen {
	return offer(t, t.HTML("notice.trial_48h", i18n.Args{"until": args.ExpiresAt}))
}

// TrialEnding tells when a trial ends.
func TrialEnding(t *i18n.Text, args PeriodArgs) Screen {
	return offer(t, t.HTML("notice.trial_ending", i18n.Args{"until": args.ExpiresAt}))
}

// TrialEnded makes an offer.
func TrialEnded(t *i18n.Text) Screen { return offer(t, t.HTML("notice.trial_ended")) }

// SubscriptionExpired offers to buy again.
func SubscriptionExpired(t *i18n.Text, args PeriodArgs) Screen {
	return Screen{
		Text: t.HTML("notice.subscription_expired", i18n.Args{"tariff": tariffName(t, args.Tariff)}),
		Rows: [][]Button{row(press(t, "button.renew", VerbRenew), press(t, "button.buy", VerbBuy)), toMenu(t)},
	}
}

func offer(t *i18n.Text, text i18n.HTML) Screen {
	return Screen{Text: text, Rows: [][]Button{row(press(t, "button.buy", VerbBuy)), toMenu(t)}}
}

// Reminder tells how much of a subscription is left; key is its text.
func Reminder(key string) func(t *i18n.Text, args PeriodArgs) Screen {
	return func(t *i18n.Text, args PeriodArgs) Screen {
		return Screen{
			Text: t.HTML(key, i18n.Args{"tariff": tariffName(t, args.Tariff), "until": args.ExpiresAt}),
			Rows: [][]Button{row(press(t, "button.renew", VerbRenew), press(t, "button.profile", VerbProfile)), toMenu(t)},
		}
	}
}

// RenewalDone is the receipt of an automatic renewal.
func RenewalDone(t *i18n.Text, args RenewalArgs) Screen {
	return Screen{
		Text: t.HTML("notice.renewal_done", i18n.Args{"price": args.Price, "until": args.ExpiresAt}),
		Rows: [][]Button{row(press(t, "button.profile", VerbProfile)), toMenu(t)},
	}
}

// RenewalDeclined tells that the balance was too small.
func RenewalDeclined(t *i18n.Text, args RenewalArgs) Screen {
	return Screen{
		Text: t.HTML("notice.renewal_declined", i18n.Args{"price": args.Price, "until": args.ExpiresAt}),
		Rows: [][]Button{row(press(t, "button.topup", VerbTopup), press(t, "button.renew", VerbRenew)), toMenu(t)},
	}
}

// TimeGranted tells of time that an admin gave.
func TimeGranted(t *i18n.Text, args PeriodArgs) Screen {
	return Screen{
		Text: t.HTML("notice.time_granted", i18n.Args{"tariff": tariffName(t, args.Tariff), "until": args.ExpiresAt}),
		Rows: [][]Button{row(press(t, "button.instruction", VerbInstruction), press(t, "button.key", VerbKey)), toMenu(t)},
	}
}

// SubscriptionRevoked tells that an admin ended the subscription, and why.
func SubscriptionRevoked(t *i18n.Text, args ReasonArgs) Screen {
	return Screen{
		Text: t.HTML("notice.subscription_revoked", i18n.Args{"reason": clip(args.Reason)}),
		Rows: [][]Button{row(press(t, "button.support", VerbSupport)), toMenu(t)},
	}
}
