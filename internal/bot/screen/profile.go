package screen

import (
	"strconv"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// Profile shows what a person has.
func Profile(t *i18n.Text, id int64, s sqlapi.CurrentSubscription, balance sqlapi.Balance) Screen {
	lines := []i18n.HTML{
		t.HTML("profile.head", i18n.Args{"id": id}),
		subscription(t, s),
		t.HTML("profile.balance", i18n.Args{"balance": balance.Available}),
	}
	if balance.Held > 0 {
		lines = append(lines, t.HTML("profile.held", i18n.Args{"held": balance.Held}))
	}
	if balance.Debt > 0 {
		lines = append(lines, t.HTML("profile.debt", i18n.Args{"debt": balance.Debt}))
	}
	rows := [][]Button{row(press(t, "button.buy", VerbBuy))}
	if s.Status == atlas.ActiveSubscription || s.Status == atlas.ExpiredSubscription {
		rows = [][]Button{row(press(t, "button.renew", VerbRenew), press(t, "button.change_plan", VerbBuy))}
	}
	if s.Status == atlas.ActiveSubscription || s.Status == atlas.TrialSubscription {
		lines = append(lines, t.HTML("profile.renewal_"+onOff(s.AutoRenew)))
		rows = append(rows, row(press(t, "button.renewal", VerbRenewal)))
	}
	return Screen{
		Text: i18n.Join("\n", lines...),
		Rows: append(rows,
			row(press(t, "button.topup", VerbTopup), press(t, "button.withdraw", VerbWithdraw)),
			row(press(t, "button.key", VerbKey), press(t, "button.history", VerbHistory)),
			row(press(t, "button.promo", VerbPromo)),
			toMenu(t)),
	}
}

func onOff(isOn bool) string {
	if isOn {
		return RenewalOn
	}
	return RenewalOff
}

func subscription(t *i18n.Text, s sqlapi.CurrentSubscription) i18n.HTML {
	if s.ExpiresAt == nil || s.Status == atlas.NoSubscription {
		return t.HTML("profile.subscription_none")
	}
	line := t.HTML("profile.subscription_"+string(s.Status), i18n.Args{
		"tariff": tariffName(t, s.Tariff), "until": *s.ExpiresAt,
	})
	if s.Status != atlas.ExpiredSubscription && s.Activation != atlas.ActivationDone {
		line = i18n.Join("\n", line, t.HTML("profile.activation_"+string(s.Activation)))
	}
	return line
}

// HistoryPage is how many movements one page of the history shows.
const HistoryPage = 10

// HistoryPages are the versions before which the pages beside this one begin; 0 where there is none.
type HistoryPages struct{ Newer, Older int64 }

// History shows movements of money, newest first.
func History(t *i18n.Text, lines []sqlapi.StatementLine, beside HistoryPages) Screen {
	if len(lines) == 0 {
		return Screen{
			Text: t.HTML("history.empty"),
			Rows: [][]Button{row(press(t, "button.topup", VerbTopup)), row(back(t, VerbProfile))},
		}
	}
	texts := make([]i18n.HTML, 0, len(lines))
	for _, line := range lines {
		texts = append(texts, i18n.Join("\n", movement(t, line), note(t, line)))
	}
	s := Screen{Text: i18n.Join("\n\n", t.HTML("history.text"), i18n.Join("\n", texts...))}
	var pages []Button
	if beside.Newer > 0 {
		pages = append(pages, press(t, "button.newer", VerbHistory, strconv.FormatInt(beside.Newer, 10)))
	}
	if beside.Older > 0 {
		pages = append(pages, press(t, "button.older", VerbHistory, strconv.FormatInt(beside.Older, 10)))
	}
	if len(pages) > 0 {
		s.Rows = append(s.Rows, pages)
	}
	s.Rows = append(s.Rows, row(back(t, VerbProfile)), toMenu(t))
	return s
}

func movement(t *i18n.Text, line sqlapi.StatementLine) i18n.HTML {
	reason := "word.reason_" + line.Reason
	if !t.Has(reason) {
		reason = "word.reason_other"
	}
	args := i18n.Args{"at": line.CreatedAt, "reason": t.Plain(reason), "balance": line.Available}
	if line.Amount == 0 { // a provider paid the shop, and the balance stayed as it was
		args["moved"] = line.Moved
		return t.HTML("history.line_without_amount", args)
	}
	args["amount"] = i18n.Signed(line.Amount)
	return t.HTML("history.line", args)
}

// note is what an admin wrote about a movement.
func note(t *i18n.Text, line sqlapi.StatementLine) i18n.HTML {
	if line.Note == "" {
		return ""
	}
	return t.HTML("history.note", i18n.Args{"note": shorten(line.Note, maxNote)})
}

// maxNote lets a page of notes fit into one message, also when all of them has to be escaped.
const maxNote = 45
