package screen

import (
	"strings"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// PromoUnit is what the time of a new code is counted in.
type PromoUnit string

// The units.
const (
	Hours  PromoUnit = "hours"
	Days   PromoUnit = "days"
	Months PromoUnit = "months"
)

// NewPromo is what an admin wants to make: Count generated codes, or one for a Count of 0, generated where Code is empty.
// MaxUses 0 is no limit, an empty Unit no end.
type NewPromo struct {
	Code    string    `json:"code,omitempty"`
	Count   int       `json:"count,omitempty"`
	Percent int       `json:"percent,omitempty"`
	Unit    PromoUnit `json:"unit,omitempty"`
	Value   int       `json:"value,omitempty"`
	MaxUses int       `json:"max_uses,omitempty"`
	PerUser int       `json:"per_user,omitempty"`
}

// AskNewPromo asks the question of a step; once more after an answer that was none.
func AskNewPromo(t *i18n.Text, step string, isWrong bool) Screen {
	s := Screen{Text: t.HTML("new_code." + step)}
	if isWrong {
		s.Text = i18n.Join("\n\n", t.HTML("new_code.wrong"), s.Text)
	}
	answer := func(key, what string) Button { return press(t, key, VerbPromoAnswer, what) }
	switch step {
	case "code":
		s.Rows = append(s.Rows, row(answer("button.promo_generate", "generate")))
	case "unit":
		s.Rows = append(s.Rows,
			row(answer("button.hours", string(Hours)), answer("button.days", string(Days)), answer("button.months", string(Months))),
			row(answer("button.no_end", "never")))
	case "uses":
		s.Rows = append(s.Rows, row(answer("button.no_limit", "unlimited")))
	case "per_user":
		s.Rows = append(s.Rows, row(answer("button.once", "once")))
	}
	s.Rows = append(s.Rows, leavePromos(t))
	return s
}

// ConfirmNewPromo asks whether all is right.
func ConfirmNewPromo(t *i18n.Text, wanted NewPromo, end *time.Time, draft atlas.DraftID) Screen {
	what := t.Plain("word.code_generated")
	switch {
	case wanted.Count > 0:
		what = t.CountPlain("word.codes_generated", wanted.Count)
	case wanted.Code != "":
		what = strings.ToUpper(shorten(wanted.Code, maxCode))
	}
	return Screen{
		Text: t.HTML("new_code.confirm", i18n.Args{
			"what": what, "percent": wanted.Percent, "end": endOf(t, end), "uses": usesOf(t, wanted.MaxUses),
			"per_user": wanted.PerUser,
		}),
		Rows: [][]Button{row(press(t, "button.promo_make", VerbPromoCreateYes, string(draft))), leavePromos(t)},
	}
}

// maxCode is how much of what was typed as a code is shown.
const maxCode = 40

// PromoTaken says that somebody else has made the code meanwhile.
func PromoTaken(t *i18n.Text, code string) Screen {
	return Screen{
		Text: t.HTML("new_code.taken", i18n.Args{"code": strings.ToUpper(shorten(code, maxCode))}),
		Rows: [][]Button{row(press(t, "button.promo_create", VerbPromoCreate)), row(back(t, VerbPromos)), toAdmin(t)},
	}
}

// PromoIssued is the toast after codes were made.
func PromoIssued(t *i18n.Text, isReplay bool) string {
	if isReplay {
		return t.Plain("alert.done_already")
	}
	return t.Plain("alert.promo_issued")
}

// Batches lists codes that were made many at once.
func Batches(t *i18n.Text, page Page[sqlapi.PromoBatch]) Screen {
	s := Screen{Text: t.HTML("batch.head")}
	if len(page.Lines) == 0 {
		s.Text = i18n.Join("\n", s.Text, t.HTML("code.none"))
	}
	for _, b := range page.Lines {
		s.Text = i18n.Join("\n", s.Text, t.HTML("batch.line", i18n.Args{
			"number": b.BatchID, "codes": t.CountPlain("word.codes", b.Codes), "percent": b.Percent, "uses": usesOf(t, b.MaxUses),
			"per_user": b.PerUserLimit, "end": endOf(t, b.ExpiresAt), "at": b.IssuedAt, "who": who(t, b.IssuedBy, b.IssuedByUsername),
		}))
		s.Rows = append(s.Rows, row(Button{
			Label: t.Plain("button.batch", i18n.Args{"number": b.BatchID, "codes": t.CountPlain("word.codes", b.Codes), "percent": b.Percent}),
			Data:  VerbBatch.With(numbered(b.BatchID)),
		}))
	}
	s.Rows = append(s.Rows, page.turn(t, VerbBatches, func(b sqlapi.PromoBatch) string { return numbered(b.BatchID) })...)
	s.Rows = append(s.Rows, row(press(t, "button.promo_many", VerbPromoCreateMany)), row(back(t, VerbPromos)), toAdmin(t))
	return s
}

// Batch shows the codes of a batch, to be copied with one tap; those that are used or switched off are apart.
func Batch(t *i18n.Text, codes []sqlapi.BatchCode) Screen {
	var free, gone []string
	for _, c := range codes {
		if c.IsActive && !c.IsUsed {
			free = append(free, c.Code)
		} else {
			gone = append(gone, c.Code)
		}
	}
	lines := []i18n.HTML{t.HTML("batch.card", i18n.Args{"number": codes[0].BatchID, "free": len(free), "all": len(codes)})}
	if len(free) > 0 {
		lines = append(lines, t.HTML("batch.free", i18n.Args{"codes": strings.Join(free, "\n")}))
	}
	if len(gone) > 0 {
		lines = append(lines, t.HTML("batch.gone", i18n.Args{"codes": strings.Join(gone, "\n")}))
	}
	return Screen{Text: i18n.Join("\n\n", lines...), Rows: [][]Button{
		row(press(t, "button.promo_find", VerbPromoFind), press(t, "button.batch_file", VerbBatchFile, numbered(codes[0].BatchID))),
		row(press(t, "button.refresh", VerbBatch, numbered(codes[0].BatchID))), row(back(t, VerbBatches)), toAdmin(t),
	}}
}
