package screen

import (
	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
)

// MoneyAction is what an admin does about a payment or a purchase: to whom, how much, and why. It is what a draft keeps.
type MoneyAction struct {
	Subject    string           `json:"subject"` // the payment's number or the purchase's id
	TelegramID atlas.TelegramID `json:"telegram_id,omitempty"`
	Username   string           `json:"username,omitempty"`
	Amount     atlas.Kopecks    `json:"amount_kopecks,omitempty"`
	Note       string           `json:"note,omitempty"`
}

// MoneySubject is the thing that an admin does something about, as it stands now. Whole is the amount that one button
// answers with; 0 for none.
type MoneySubject struct {
	ID     string
	Head   i18n.HTML
	IsOpen bool // there is something to do about it
	Whole  atlas.Kopecks
	back   Verb
}

// AskMoney asks one question; wrong says why the last answer was none.
func AskMoney(t *i18n.Text, action, question, wrong string, whole Verb, subject MoneySubject) Screen {
	s := Screen{Text: i18n.Join("\n", subject.Head, "", wrongAnswer(t, wrong), t.HTML("ask_money."+action+"_"+question))}
	if whole != "" && subject.Whole > 0 {
		label := t.Plain("button.money_whole", i18n.Args{"amount": subject.Whole})
		s.Rows = append(s.Rows, row(Button{Label: label, Data: string(whole)}))
	}
	s.Rows = append(s.Rows, row(press(t, "button.leave", subject.back, subject.ID)), toAdmin(t))
	return s
}

// wrongAnswer says why what was typed was no answer.
func wrongAnswer(t *i18n.Text, wrong string) i18n.HTML {
	if wrong == "" {
		return ""
	}
	return t.HTML("wrong_money." + wrong)
}

// ConfirmMoney asks whether it is to be done.
func ConfirmMoney(
	t *i18n.Text, action string, confirm Verb, a MoneyAction, subject MoneySubject, draft atlas.DraftID,
) Screen {
	question := t.HTML("confirm_money."+action, i18n.Args{
		"amount": a.Amount, "who": who(t, a.TelegramID, a.Username), "note": clip(a.Note),
	})
	return Screen{
		Text: i18n.Join("\n", subject.Head, "", question),
		Rows: [][]Button{
			row(press(t, "button.money_"+action+"_yes", confirm, string(draft))),
			row(press(t, "button.leave", subject.back, subject.ID)), toAdmin(t),
		},
	}
}
