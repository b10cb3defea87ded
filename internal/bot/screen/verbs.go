package screen

import "strings"

// Verb is what a button does: the first part of its callback data, before a colon. What follows is an opaque id or the
// name of an option, never a price, a tariff or a period.
type Verb string

// The verbs of this release. A verb that is not among them comes from a button of another release.
const (
	VerbMenu        Verb = "menu"
	VerbSettings    Verb = "settings"
	VerbLanguages   Verb = "languages"
	VerbLanguage    Verb = "language" // a language
	VerbProfile     Verb = "profile"
	VerbHistory     Verb = "history" // the version before which a page begins
	VerbKey         Verb = "key"
	VerbQR          Verb = "qr"
	VerbInstruction Verb = "instruction"
	VerbGuide       Verb = "guide" // a platform
	VerbSupport     Verb = "support"
	VerbHelp        Verb = "help"
	VerbInfo        Verb = "info"
	VerbPrivacy     Verb = "privacy"

	VerbBuy    Verb = "buy"
	VerbTariff Verb = "tariff" // an offer, for its tariff
	VerbPlan   Verb = "plan"   // an offer
	VerbShow   Verb = "show"   // a purchase
	VerbCheck  Verb = "check"  // a purchase, as show, after paying elsewhere
	VerbPay    Verb = "pay"    // a purchase, from the balance
	VerbCrypto Verb = "crypto" // a purchase
	VerbStars  Verb = "stars"  // a purchase
	VerbCard   Verb = "card"   // a purchase
	VerbCancel Verb = "cancel" // a purchase

	VerbTopup  Verb = "topup"
	VerbPreset Verb = "preset" // the place of an amount on the screen
	VerbTyped  Verb = "typed"

	VerbPromo        Verb = "promo" // a purchase that the code is meant for, or nothing
	VerbPromoTariffs Verb = "promo_buy"
	VerbPromoTariff  Verb = "promo_tariff" // an offer, for its tariff
	VerbPromoPlan    Verb = "promo_plan"   // an offer

	VerbWithdraw        Verb = "withdraw"
	VerbWithdrawTake    Verb = "withdraw_back" // a withdrawal, to take it back
	VerbWithdrawAsk     Verb = "withdraw_ask"
	VerbWithdrawConfirm Verb = "withdraw_ok"  // a draft
	VerbWithdrawSubmit  Verb = "withdraw_yes" // a draft
)

// With makes callback data.
func (v Verb) With(argument ...string) string {
	return strings.Join(append([]string{string(v)}, argument...), ":")
}

// Parse splits callback data into its verb and argument.
func Parse(data string) (verb Verb, argument string) {
	name, argument, _ := strings.Cut(data, ":")
	return Verb(name), argument
}
