package screen

import (
	"slices"
	"strconv"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// What an admin can do to a user: the button on the card, and the one that confirms a draft.
const (
	VerbAdminCredit    Verb = "a_credit"     // a user
	VerbAdminCreditYes Verb = "a_credit_yes" // a draft
	VerbAdminDebit     Verb = "a_debit"      // a user
	VerbAdminDebitYes  Verb = "a_debit_yes"  // a draft
)

// UserAction is what an admin is about to do to a user: the arguments of a draft. What it does not need is left out.
type UserAction struct {
	TelegramID atlas.TelegramID `json:"telegram_id"`
	Amount     atlas.Kopecks    `json:"amount_kopecks,omitempty"`
	Note       string           `json:"note,omitempty"` // the admin's words
}

// UserOptions is what the database offers for buttons of questions.
type UserOptions struct{ Tariffs []atlas.Tariff }

// OptionsOf takes the tariffs from the price list, in its order.
func OptionsOf(prices []sqlapi.Price) UserOptions {
	var o UserOptions
	for _, p := range prices {
		if !slices.Contains(o.Tariffs, p.Tariff) {
			o.Tariffs = append(o.Tariffs, p.Tariff)
		}
	}
	return o
}

// UserQuestion is a question of the dialogue about an action.
type UserQuestion struct {
	Action, Step string
	Verb         Verb // of the buttons that answer it; "" if there are none
	IsWrong      bool // the last answer was none
	Options      UserOptions
}

// AskAboutUser asks a question about what is to be done to a user.
func AskAboutUser(t *i18n.Text, c sqlapi.Card, q UserQuestion) Screen {
	lines := []i18n.HTML{userHead(t, c), t.HTML("profile.balance", i18n.Args{"balance": c.Available})}
	if q.IsWrong {
		lines = append(lines, t.HTML("admin.wrong_answer"))
	}
	lines = append(lines, "\n"+t.HTML("admin.ask_"+q.Action+"_"+q.Step))
	s := Screen{Text: i18n.Join("\n", lines...)}
	for place, label := range answers(t, q) {
		s.Rows = append(s.Rows, row(Button{Label: label, Data: q.Verb.With(strconv.Itoa(place))}))
	}
	s.Rows = append(s.Rows, leaveUser(t, c.TelegramID))
	return s
}

// answers are the labels of the buttons that answer a question, each in its place.
func answers(*i18n.Text, UserQuestion) []string { return nil }

// leaveUser is the way out of a dialogue about a user.
func leaveUser(t *i18n.Text, id atlas.TelegramID) []Button {
	return row(press(t, "button.leave", VerbAdminUser, userNumber(id)))
}

// ConfirmUserAction shows a draft, with the button that does it.
func ConfirmUserAction(
	t *i18n.Text, c sqlapi.Card, action string, confirm Verb, a UserAction, draft sqlapi.ActionDraft,
) Screen {
	return Screen{
		Text: i18n.Join("\n\n", userHead(t, c), userHas(t, c), t.HTML("admin.confirm_"+action, actionArgs(t, action, a)),
			t.HTML("admin.confirm_until", i18n.Args{"until": draft.ExpiresAt})),
		Rows: [][]Button{row(press(t, "button.a_confirm", confirm, string(draft.DraftID))), leaveUser(t, a.TelegramID)},
	}
}

// UserActionDone shows a user after something was done, or what had been done already.
func UserActionDone(t *i18n.Text, c sqlapi.Card, action string, a UserAction, isReplay bool) Screen {
	done, toast := t.HTML("admin.done_"+action, actionArgs(t, action, a)), "alert.done"
	if isReplay {
		done, toast = i18n.Join("\n", t.HTML("admin.done_already"), done), "alert.done_already"
	}
	s := UserCard(t, c)
	s.Text = i18n.Join("\n\n", done, s.Text)
	s.Toast = t.Plain(toast)
	return s
}

// actionArgs are the arguments of an action's texts.
func actionArgs(_ *i18n.Text, action string, a UserAction) i18n.Args {
	switch action {
	case "credit", "debit":
		return i18n.Args{"amount": a.Amount, "note": brief(a.Note)}
	default:
		return nil
	}
}

// IsRefusalOfAction says whether a refusal has a text for admins.
func IsRefusalOfAction(t *i18n.Text, code string) bool { return t.Has("admin.refused_" + code) }

// UserActionRefused says why nothing was done.
func UserActionRefused(t *i18n.Text, a UserAction, code string) Screen {
	return Screen{Text: t.HTML("admin.refused_" + code), Rows: [][]Button{
		row(back(t, VerbAdminUser, userNumber(a.TelegramID))), toAdmin(t),
	}}
}
