package screen

import (
	"strconv"

	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// pending is the status of a withdrawal that waits for admins.
const pending = "pending"

// Withdraw shows what can be withdrawn, and the latest request if there is one.
func Withdraw(
	t *i18n.Text, options sqlapi.WithdrawalOptions, balance sqlapi.Balance, latest []sqlapi.OwnWithdrawal,
) Screen {
	lines := []i18n.HTML{
		t.HTML("withdrawal.head", i18n.Args{"balance": balance.Available}),
		t.HTML("withdrawal.rules", i18n.Args{"minimum": options.Minimum, "requests": options.PerDay}),
	}
	if balance.Debt > 0 {
		lines = append(lines, t.HTML("withdrawal.debt", i18n.Args{"debt": balance.Debt}))
	}
	ask := row(press(t, "button.withdraw_ask", VerbWithdrawAsk))
	for _, w := range latest {
		lines = append(lines, "\n"+ownWithdrawal(t, w))
		if w.Status == pending {
			ask = row(press(t, "button.withdraw_take", VerbWithdrawTake, strconv.FormatInt(w.WithdrawalID, 10)))
		}
	}
	return Screen{Text: i18n.Join("\n", lines...), Rows: [][]Button{ask, row(back(t, VerbProfile)), toMenu(t)}}
}

func ownWithdrawal(t *i18n.Text, w sqlapi.OwnWithdrawal) i18n.HTML {
	args := i18n.Args{"number": w.WithdrawalID, "amount": w.Amount, "at": w.RequestedAt}
	if w.Reason != "" {
		args["reason"] = clip(w.Reason)
		return t.HTML("withdrawal.is_rejected_because", args)
	}
	return t.HTML("withdrawal.is_"+w.Status, args)
}

// WithdrawalAsk is why the amount is asked for.
type WithdrawalAsk string

// The reasons to ask.
const (
	WithdrawalAmount   WithdrawalAsk = "amount"    // nothing was said yet
	WithdrawalNoAmount WithdrawalAsk = "no_amount" // that was none
	WithdrawalTooSmall WithdrawalAsk = "too_small"
	WithdrawalTooLarge WithdrawalAsk = "too_large" // for the balance, or while there is a debt
)

// AskWithdrawal asks to type how much.
func AskWithdrawal(t *i18n.Text, reason WithdrawalAsk, options sqlapi.WithdrawalOptions, balance sqlapi.Balance) Screen {
	args := i18n.Args{"minimum": options.Minimum, "balance": balance.Available}
	s := Screen{Text: t.HTML("withdrawal.ask_"+string(reason), args), Rows: leaveWithdrawal(t)}
	if balance.Debt > 0 {
		s.Text = i18n.Join("\n", s.Text, t.HTML("withdrawal.debt", i18n.Args{"debt": balance.Debt}))
	}
	return s
}

// AskRequisites asks where to pay an amount.
func AskRequisites(t *i18n.Text, possible sqlapi.PossibleWithdrawal) Screen {
	return Screen{
		Text: t.HTML("withdrawal.requisites", i18n.Args{"amount": possible.Amount, "left": possible.Left}),
		Rows: leaveWithdrawal(t),
	}
}

// WrongRequisites asks again, after something that cannot be requisites.
func WrongRequisites(t *i18n.Text) Screen {
	return Screen{Text: t.HTML("withdrawal.requisites_wrong"), Rows: leaveWithdrawal(t)}
}

// ConfirmWithdrawal shows a draft, with as much of its requisites as is shown, for the first confirmation.
func ConfirmWithdrawal(t *i18n.Text, draft sqlapi.ShownDraft, masked string) Screen {
	return Screen{
		Text: t.HTML("withdrawal.confirm", i18n.Args{"amount": draft.Amount, "requisites": masked, "until": draft.ExpiresAt}),
		Rows: append([][]Button{row(press(t, "button.withdraw_confirm", VerbWithdrawConfirm, string(draft.DraftID)))},
			leaveWithdrawal(t)...),
	}
}

// FinalWithdrawal asks for the second confirmation.
func FinalWithdrawal(t *i18n.Text, draft sqlapi.ShownDraft) Screen {
	return Screen{
		Text: t.HTML("withdrawal.final", i18n.Args{"amount": draft.Amount}),
		Rows: append([][]Button{row(press(t, "button.withdraw_submit", VerbWithdrawSubmit, string(draft.DraftID)))},
			leaveWithdrawal(t)...),
	}
}

// DraftExpired says that the confirmation came too late.
func DraftExpired(t *i18n.Text) Screen {
	return withdrawAnew(t, t.HTML("withdrawal.draft_expired"))
}

// RequisitesLost says that what was typed cannot be read any more.
func RequisitesLost(t *i18n.Text) Screen {
	return withdrawAnew(t, t.HTML("withdrawal.requisites_lost"))
}

func withdrawAnew(t *i18n.Text, why i18n.HTML) Screen {
	return Screen{Text: why, Rows: [][]Button{row(press(t, "button.withdraw", VerbWithdraw)), toMenu(t)}}
}

// NotEnoughToWithdraw says that the money is not there any more.
func NotEnoughToWithdraw(t *i18n.Text, balance sqlapi.Balance) Screen {
	s := Screen{
		Text: t.HTML("withdrawal.not_enough", i18n.Args{"balance": balance.Available}),
		Rows: [][]Button{row(press(t, "button.withdraw", VerbWithdraw)), toMenu(t)},
	}
	if balance.Debt > 0 {
		s.Text = i18n.Join("\n", s.Text, t.HTML("withdrawal.debt", i18n.Args{"debt": balance.Debt}))
	}
	return s
}

// leaveWithdrawal is the way out of each step.
func leaveWithdrawal(t *i18n.Text) [][]Button {
	return [][]Button{row(press(t, "button.leave", VerbWithdraw))}
}
