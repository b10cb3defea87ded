package screen

import (
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// The verbs of promo codes.
const (
	VerbPromos          Verb = "a_promos"          // the number before which a page begins
	VerbPromosOver      Verb = "a_promos_over"     // the same
	VerbPromoCard       Verb = "a_promo"           // a promo code
	VerbPromoFind       Verb = "a_promo_find"      //
	VerbPromoOff        Verb = "a_promo_off"       // a promo code
	VerbPromoOffYes     Verb = "a_promo_off_yes"   // a draft
	VerbPromoLimit      Verb = "a_promo_limit"     // a promo code
	VerbPromoLimitNone  Verb = "a_promo_limit_no"  //
	VerbPromoLimitYes   Verb = "a_promo_limit_yes" // a draft
	VerbPromoCreate     Verb = "a_promo_new"
	VerbPromoCreateMany Verb = "a_promo_many"
	VerbPromoAnswer     Verb = "a_promo_answer" // what is answered
	VerbPromoCreateYes  Verb = "a_promo_yes"    // a draft
	VerbBatches         Verb = "a_batches"      // the number before which a page begins
	VerbBatch           Verb = "a_batch"        // a batch
	VerbBatchFile       Verb = "a_batch_file"   // a batch
)

// Promos lists promo codes.
func Promos(t *i18n.Text, page Page[sqlapi.ListedPromo], isUsable bool) Screen {
	key, verb, other := "code.usable", VerbPromos, press(t, "button.promos_over", VerbPromosOver)
	if !isUsable {
		key, verb, other = "code.over", VerbPromosOver, press(t, "button.promos_usable", VerbPromos)
	}
	s := Screen{Text: t.HTML(key)}
	if len(page.Lines) == 0 {
		s.Text = i18n.Join("\n", s.Text, t.HTML("code.none"))
	}
	for _, c := range page.Lines {
		s.Rows = append(s.Rows, row(Button{
			Label: t.Plain("button.code", i18n.Args{"code": c.Code, "percent": c.Percent, "uses": usesOf(t, c.MaxUses)}),
			Data:  VerbPromoCard.With(numbered(c.PromoID)),
		}))
	}
	s.Rows = append(s.Rows, page.turn(t, verb, func(c sqlapi.ListedPromo) string { return numbered(c.PromoID) })...)
	s.Rows = append(s.Rows,
		row(press(t, "button.promo_create", VerbPromoCreate), press(t, "button.promo_many", VerbPromoCreateMany)),
		row(other, press(t, "button.batches", VerbBatches)),
		row(press(t, "button.promo_find", VerbPromoFind)), toAdmin(t))
	return s
}

// usesOf writes a limit.
func usesOf(t *i18n.Text, most int) string {
	if most == 0 {
		return t.Plain("word.no_limit")
	}
	return t.CountPlain("word.uses", most)
}

func endOf(t *i18n.Text, end *time.Time) string {
	if end == nil {
		return t.Plain("word.no_end")
	}
	return t.Moment(*end)
}

// PromoCard shows a code and what it brought.
func PromoCard(t *i18n.Text, c sqlapi.PromoCard) Screen {
	lines := []i18n.HTML{
		t.HTML("code.card", i18n.Args{"code": c.Code, "percent": c.Percent, "uses": usesOf(t, c.MaxUses),
			"per_user": c.PerUserLimit, "end": endOf(t, c.ExpiresAt)}),
		t.HTML("code.issued", i18n.Args{"who": who(t, c.IssuedBy, c.IssuedByUsername), "at": c.IssuedAt}),
	}
	switch {
	case c.DisabledAt != nil:
		lines = append(lines, t.HTML("code.disabled", i18n.Args{"who": who(t, c.DisabledBy, c.DisabledByUsername), "at": *c.DisabledAt}))
	case c.IsExpired:
		lines = append(lines, t.HTML("code.expired"))
	}
	lines = append(lines, "", t.HTML("code.taken", i18n.Args{"uses": c.Uses}))
	if c.UsesLeft != nil {
		lines = append(lines, t.HTML("code.left", i18n.Args{"left": *c.UsesLeft}))
	}
	lines = append(lines, t.HTML("code.figures", i18n.Args{
		"consumed": c.Consumed, "reserved": c.Reserved, "refunded": c.Refunded, "revenue": c.Revenue, "discount": c.Discount,
	}))
	if c.Counted < c.Uses {
		lines = append(lines, t.HTML("code.partial", i18n.Args{"counted": c.Counted}))
	}
	var rows [][]Button
	if c.IsActive {
		rows = append(rows, row(press(t, "button.promo_limit", VerbPromoLimit, numbered(c.PromoID)),
			press(t, "button.promo_off", VerbPromoOff, numbered(c.PromoID))))
	}
	up := back(t, VerbPromos)
	if c.BatchID != 0 {
		up = back(t, VerbBatch, numbered(c.BatchID))
	}
	rows = append(rows, row(press(t, "button.refresh", VerbPromoCard, numbered(c.PromoID))), row(up), toAdmin(t))
	return Screen{Text: i18n.Join("\n", lines...), Rows: rows}
}

// NoSuchPromo says that there is no such code or batch.
func NoSuchPromo(t *i18n.Text) Screen {
	return Screen{Text: t.HTML("code.unknown"), Rows: [][]Button{row(back(t, VerbPromos)), toAdmin(t)}}
}

func leavePromos(t *i18n.Text) []Button { return row(press(t, "button.leave", VerbPromos)) }

// AskPromoToFind asks which code to look for; once more after one that there is not.
func AskPromoToFind(t *i18n.Text, isAgain bool) Screen {
	s := Screen{Text: t.HTML("code.find"), Rows: [][]Button{leavePromos(t)}}
	if isAgain {
		s.Text = t.HTML("code.find_again")
	}
	return s
}

// AskPromoOff asks to confirm that a code is switched off.
func AskPromoOff(t *i18n.Text, c sqlapi.PromoCard, draft atlas.DraftID) Screen {
	return Screen{Text: t.HTML("code.ask_off", i18n.Args{"code": c.Code}), Rows: [][]Button{
		row(press(t, "button.switch_off_now", VerbPromoOffYes, string(draft))),
		row(back(t, VerbPromoCard, numbered(c.PromoID))), toAdmin(t),
	}}
}

// PromoSwitchedOff is the toast after a code was switched off.
func PromoSwitchedOff(t *i18n.Text, isReplay bool) string {
	if isReplay {
		return t.Plain("alert.done_already")
	}
	return t.Plain("alert.promo_off")
}

// PromoLimitAsk is why a limit is asked for.
type PromoLimitAsk string

// The reasons to ask.
const (
	PromoLimitAsked    PromoLimitAsk = "asked"
	PromoLimitNoNumber PromoLimitAsk = "no_number"
	PromoLimitTooLow   PromoLimitAsk = "too_low"
)

// AskPromoLimit asks how often a code can be used in all.
func AskPromoLimit(t *i18n.Text, c sqlapi.PromoCard, reason PromoLimitAsk) Screen {
	return Screen{
		Text: t.HTML("code.limit_"+string(reason), i18n.Args{"code": c.Code, "uses": c.Uses, "limit": usesOf(t, c.MaxUses)}),
		Rows: [][]Button{
			row(press(t, "button.no_limit", VerbPromoLimitNone)),
			row(press(t, "button.leave", VerbPromoCard, numbered(c.PromoID))),
		},
	}
}

// ConfirmPromoLimit asks to confirm a limit.
func ConfirmPromoLimit(t *i18n.Text, c sqlapi.PromoCard, uses int, draft atlas.DraftID) Screen {
	return Screen{
		Text: t.HTML("code.limit_confirm", i18n.Args{"code": c.Code, "from": usesOf(t, c.MaxUses), "to": usesOf(t, uses)}),
		Rows: [][]Button{
			row(press(t, "button.promo_limit_yes", VerbPromoLimitYes, string(draft))),
			row(press(t, "button.leave", VerbPromoCard, numbered(c.PromoID))),
		},
	}
}

// PromoLimitSet is the toast after a limit was set, or could not be.
func PromoLimitSet(t *i18n.Text, isReplay, isTooLow bool) string {
	switch {
	case isTooLow:
		return t.Plain("alert.promo_limit_too_low")
	case isReplay:
		return t.Plain("alert.done_already")
	}
	return t.Plain("alert.promo_limit")
}
