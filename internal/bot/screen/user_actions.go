package screen

import (
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// What an admin can do to a user: the button on the card, those that answer a question with the place of an option, and the
// one that confirms a draft.
const (
	VerbAdminCredit         Verb = "a_credit"     // a user
	VerbAdminCreditYes      Verb = "a_credit_yes" // a draft
	VerbAdminDebit          Verb = "a_debit"      // a user
	VerbAdminDebitYes       Verb = "a_debit_yes"  // a draft
	VerbAdminGrant          Verb = "a_grant"      // a user
	VerbAdminGrantLength    Verb = "a_grant_length"
	VerbAdminGrantUnit      Verb = "a_grant_unit"
	VerbAdminGrantTariff    Verb = "a_grant_tariff"
	VerbAdminGrantNotify    Verb = "a_grant_tell"
	VerbAdminGrantYes       Verb = "a_grant_yes" // a draft
	VerbAdminRevoke         Verb = "a_revoke"    // a user
	VerbAdminRevokeNotify   Verb = "a_revoke_tell"
	VerbAdminRevokeYes      Verb = "a_revoke_yes" // a draft
	VerbAdminDiscount       Verb = "a_discount"   // a user
	VerbAdminDiscountExpiry Verb = "a_discount_for"
	VerbAdminDiscountYes    Verb = "a_discount_yes" // a draft
	VerbAdminVIP            Verb = "a_vip"          // a user
	VerbAdminVIPYes         Verb = "a_vip_yes"      // a draft
	VerbAdminBlock          Verb = "a_block"        // a user
	VerbAdminBlockYes       Verb = "a_block_yes"    // a draft
	VerbAdminUnblock        Verb = "a_unblock"      // a user
	VerbAdminUnblockYes     Verb = "a_unblock_yes"  // a draft
	VerbAdminReissue        Verb = "a_reissue"      // a user
	VerbAdminReissueYes     Verb = "a_reissue_yes"  // a draft
	VerbAdminRefund         Verb = "a_refund"       // a user and a purchase
	VerbAdminRefundYes      Verb = "a_refund_yes"   // a draft
)

// UserAction is what an admin is about to do to a user: the arguments of a draft. What it does not need is left out.
type UserAction struct {
	TelegramID atlas.TelegramID `json:"telegram_id"`
	Amount     atlas.Kopecks    `json:"amount_kopecks,omitempty"` // of a refund: what was paid, for the screen only
	Note       string           `json:"note,omitempty"`           // the admin's words
	Tariff     atlas.Tariff     `json:"tariff,omitempty"`
	Months     int              `json:"months,omitempty"` // of a refund, for the screen only
	Unit       TimeUnit         `json:"unit,omitempty"`   // while a length is asked for
	Minutes    int              `json:"minutes,omitempty"`
	IsQuiet    bool             `json:"is_quiet,omitempty"` // the user is not told
	Percent    int              `json:"percent,omitempty"`
	Days       int              `json:"days,omitempty"` // of a discount; 0: for good
	IsVIP      bool             `json:"is_vip,omitempty"`
	PurchaseID atlas.PurchaseID `json:"purchase_id,omitempty"`
	// Until is the end of a discount, as it follows from Days and the draft.
	Until *time.Time `json:"-"`
}

// ConfirmUserAction shows a draft, with the button that does it.
func ConfirmUserAction(
	t *i18n.Text, c sqlapi.Card, action string, confirm Verb, a UserAction, draft sqlapi.ActionDraft,
) Screen {
	return Screen{
		Text: i18n.Join("\n\n", userHead(t, c), userHas(t, c), aboutAction(t, action, a, false),
			t.HTML("admin.confirm_until", i18n.Args{"until": draft.ExpiresAt})),
		Rows: [][]Button{row(press(t, "button.a_confirm", confirm, string(draft.DraftID))), leaveUser(t, a.TelegramID)},
	}
}

// UserActionDone shows a user after something was done, or what had been done already.
func UserActionDone(t *i18n.Text, c sqlapi.Card, action string, a UserAction, isReplay bool) Screen {
	done, toast := aboutAction(t, action, a, true), "alert.done"
	if isReplay {
		done, toast = i18n.Join("\n", t.HTML("admin.done_already"), done), "alert.done_already"
	}
	s := UserCard(t, c)
	s.Text = i18n.Join("\n\n", done, s.Text)
	s.Toast = t.Plain(toast)
	return s
}

// aboutAction says what is to be done, or was.
func aboutAction(t *i18n.Text, action string, a UserAction, isDone bool) i18n.HTML {
	args := i18n.Args{}
	switch action {
	case "credit", "debit":
		args = i18n.Args{"amount": a.Amount, "note": brief(a.Note)}
	case "revoke", "block", "unblock":
		args = i18n.Args{"note": brief(a.Note)}
	case "grant":
		args = i18n.Args{"tariff": tariffName(t, a.Tariff), "length": lengthName(t, a.Minutes)}
	case "refund":
		args = i18n.Args{"what": planName(t, a.Tariff, a.Months), "amount": a.Amount, "note": brief(a.Note)}
	case "set_vip":
		if !a.IsVIP {
			action += "_off"
		}
	case "set_discount":
		args = i18n.Args{"percent": a.Percent}
		switch {
		case a.Percent == 0:
			action, args = action+"_none", i18n.Args{}
		case a.Until != nil:
			action, args["until"] = action+"_until", *a.Until
		}
	}
	key := "admin.confirm_" + action
	if isDone {
		key = "admin.done_" + action
	}
	text := t.HTML(key, args)
	if action == "grant" || action == "revoke" {
		told := t.HTML("admin.is_told")
		if a.IsQuiet {
			told = t.HTML("admin.is_not_told")
		}
		text = i18n.Join("\n", text, told)
	}
	return text
}

// leaveUser is the way out of a dialogue about a user.
func leaveUser(t *i18n.Text, id atlas.TelegramID) []Button {
	return row(press(t, "button.leave", VerbAdminUser, userNumber(id)))
}

// IsRefusalOfAction says whether a refusal has a text for admins.
func IsRefusalOfAction(t *i18n.Text, code string) bool { return t.Has("admin.refused_" + code) }

// UserActionRefused says why nothing was done.
func UserActionRefused(t *i18n.Text, a UserAction, code string) Screen {
	id := userNumber(a.TelegramID)
	s := Screen{Text: t.HTML("admin.refused_" + code)}
	if code == atlas.ErrPurchaseNotOpen.Code { // the list says who has taken it back, and when
		s.Rows = append(s.Rows, row(press(t, "button.a_purchases", VerbAdminPurchases, id)))
	}
	s.Rows = append(s.Rows, row(back(t, VerbAdminUser, id)), toAdmin(t))
	return s
}
