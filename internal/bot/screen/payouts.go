package screen

import (
	"strings"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// What admins do about withdrawals.
const (
	VerbPayouts        Verb = "a_payouts" // the withdrawal after which a page begins, or nothing
	VerbPayout         Verb = "a_payout"  // a withdrawal
	VerbPayoutApprove  Verb = "a_payout_ok"
	VerbPayoutApproved Verb = "a_payout_yes" // a draft
	VerbPayoutReject   Verb = "a_payout_no"
	VerbPayoutRejected Verb = "a_payout_rej" // a draft
)

// Payouts lists the withdrawals that wait for an admin.
func Payouts(t *i18n.Text, page Page[sqlapi.QueuedWithdrawal]) Screen {
	if len(page.Lines) == 0 {
		text := t.HTML("payout.none")
		if !page.IsFirst {
			text = t.HTML("payout.no_more")
		}
		return Screen{Text: text, Rows: append(page.turn(t, VerbPayouts, nil), row(press(t, "button.refresh", VerbPayouts)), toAdmin(t))}
	}
	lines := []i18n.HTML{t.HTML("payout.list")}
	s := Screen{}
	for _, w := range page.Lines {
		lines = append(lines, t.HTML("payout.line", i18n.Args{
			"number": w.WithdrawalID, "who": who(t, w.TelegramID, w.Username), "amount": w.Amount, "at": w.RequestedAt,
			"approvals": w.Approvals, "needed": w.ApprovalsNeeded,
		}))
		s.Rows = append(s.Rows, row(Button{
			Label: t.Plain("button.payout_line", i18n.Args{"number": w.WithdrawalID, "amount": w.Amount}),
			Data:  VerbPayout.With(numbered(w.WithdrawalID)),
		}))
	}
	s.Text = i18n.Join("\n", lines...)
	s.Rows = append(s.Rows, page.turn(t, VerbPayouts, func(w sqlapi.QueuedWithdrawal) string { return numbered(w.WithdrawalID) })...)
	s.Rows = append(s.Rows, row(press(t, "button.refresh", VerbPayouts)), toAdmin(t))
	return s
}

// IsDecidable says whether the admin who looks can approve or reject a withdrawal now.
func IsDecidable(w sqlapi.ShownWithdrawal, byApproving bool) bool {
	return w.Status == pending && (!byApproving || !w.IsOwn && !w.IsApprovedByYou)
}

// IsPayable says whether the admin who looks may have to make the payment.
func IsPayable(w sqlapi.ShownWithdrawal) bool {
	return !w.IsOwn && (w.Status == pending || w.Status == "approved")
}

// Payout shows a withdrawal, and where to pay if that is still known.
func Payout(t *i18n.Text, w sqlapi.ShownWithdrawal, requisites string) Screen {
	switch {
	case requisites != "":
		return drawPayout(t, w, true, "", t.HTML("payout.requisites", i18n.Args{"requisites": requisites}))
	case IsPayable(w):
		return drawPayout(t, w, true, t.HTML("payout.requisites_gone"))
	default:
		return drawPayout(t, w, true)
	}
}

// UnreadablePayout shows a withdrawal whose requisites nobody can open any more: it can be rejected only.
func UnreadablePayout(t *i18n.Text, w sqlapi.ShownWithdrawal) Screen {
	lines := []i18n.HTML{"", t.HTML("payout.unreadable")}
	if IsDecidable(w, false) {
		lines = append(lines, t.HTML("payout.unreadable_reject"))
	}
	return drawPayout(t, w, false, lines...)
}

func drawPayout(t *i18n.Text, w sqlapi.ShownWithdrawal, isReadable bool, where ...i18n.HTML) Screen {
	lines := append(payoutHead(t, w), payoutStands(t, w)...)
	s := Screen{Text: i18n.Join("\n", append(lines, where...)...)}
	var decide []Button
	if isReadable && IsDecidable(w, true) {
		decide = append(decide, press(t, "button.payout_approve", VerbPayoutApprove, numbered(w.WithdrawalID)))
	}
	if IsDecidable(w, false) {
		decide = append(decide, press(t, "button.payout_reject", VerbPayoutReject, numbered(w.WithdrawalID)))
	}
	if len(decide) > 0 {
		s.Rows = append(s.Rows, decide)
	}
	s.Rows = append(s.Rows, row(toUser(t, w.TelegramID)), row(back(t, VerbPayouts)), toAdmin(t))
	return s
}

// payoutHead says who wants how much.
func payoutHead(t *i18n.Text, w sqlapi.ShownWithdrawal) []i18n.HTML {
	lines := []i18n.HTML{t.HTML("payout.head", i18n.Args{
		"number": w.WithdrawalID, "who": who(t, w.TelegramID, w.Username), "amount": w.Amount, "at": w.RequestedAt,
	})}
	if w.Debt > 0 && w.Status == pending {
		lines = append(lines, t.HTML("payout.debt", i18n.Args{"debt": w.Debt}))
	}
	return lines
}

// payoutStands says what was decided, and by whom.
func payoutStands(t *i18n.Text, w sqlapi.ShownWithdrawal) []i18n.HTML {
	lines := []i18n.HTML{t.HTML("payout.approvals", i18n.Args{"approvals": w.Approvals, "needed": w.ApprovalsNeeded})}
	for _, a := range w.Approvers {
		lines = append(lines, t.HTML("payout.approver", i18n.Args{"who": who(t, a.TelegramID, a.Username), "at": a.ApprovedAt}))
	}
	switch {
	case w.EndedAt != nil:
		args := i18n.Args{"who": who(t, w.EndedBy, w.EndedByName), "at": *w.EndedAt}
		lines = append(lines, t.HTML("payout.was_"+w.Status, args))
		if w.Reason != "" {
			lines = append(lines, t.HTML("payout.reason", i18n.Args{"reason": clip(w.Reason)}))
		}
	case w.IsOwn:
		lines = append(lines, t.HTML("payout.own"))
	case w.IsApprovedByYou:
		lines = append(lines, t.HTML("payout.another_needed"))
	}
	return lines
}

// ConfirmApproval asks whether the money is to be paid out.
func ConfirmApproval(t *i18n.Text, w sqlapi.ShownWithdrawal, draft atlas.DraftID) Screen {
	question := t.HTML("payout.confirm_last")
	if w.Approvals+1 < w.ApprovalsNeeded {
		question = t.HTML("payout.confirm_first", i18n.Args{"needed": w.ApprovalsNeeded})
	}
	return Screen{
		Text: i18n.Join("\n", append(payoutHead(t, w), "", question)...),
		Rows: [][]Button{
			row(press(t, "button.payout_approve_yes", VerbPayoutApproved, string(draft))),
			row(back(t, VerbPayout, numbered(w.WithdrawalID))), toAdmin(t),
		},
	}
}

// AskRejection asks why; once more after something that is no reason.
func AskRejection(t *i18n.Text, w sqlapi.ShownWithdrawal, wasWrong bool) Screen {
	question := t.HTML("payout.ask_reason")
	if wasWrong {
		question = t.HTML("payout.wrong_reason")
	}
	return Screen{
		Text: i18n.Join("\n", append(payoutHead(t, w), "", question)...),
		Rows: [][]Button{row(press(t, "button.leave", VerbPayout, numbered(w.WithdrawalID))), toAdmin(t)},
	}
}

// ConfirmRejection asks whether the amount is to go back.
func ConfirmRejection(t *i18n.Text, w sqlapi.ShownWithdrawal, reason string, draft atlas.DraftID) Screen {
	return Screen{
		Text: i18n.Join("\n", append(payoutHead(t, w), "", t.HTML("payout.confirm_reject", i18n.Args{"reason": clip(reason)}))...),
		Rows: [][]Button{
			row(press(t, "button.payout_reject_yes", VerbPayoutRejected, string(draft))),
			row(back(t, VerbPayout, numbered(w.WithdrawalID))), toAdmin(t),
		},
	}
}

// who is a person as admins know them: the @name if there is one, and the id.
func who(t *i18n.Text, id atlas.TelegramID, username string) i18n.HTML {
	args := i18n.Args{"id": int64(id)}
	if name := cleanUsername(username); name != "" {
		args["name"] = name
		return t.HTML("who.named", args)
	}
	return t.HTML("who.unnamed", args)
}

// toUser leads to a user's card.
func toUser(t *i18n.Text, id atlas.TelegramID) Button {
	return press(t, "button.to_user", VerbAdminUser, userNumber(id))
}

// cleanUsername keeps what Telegram allows in a @name.
func cleanUsername(name string) string {
	return strings.Map(func(c rune) rune {
		if c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return -1
	}, name)
}
