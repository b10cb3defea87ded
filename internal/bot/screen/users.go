package screen

import (
	"strconv"
	"strings"
	"unicode"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// What admins press to find a user and look at one.
const (
	VerbAdminUsers Verb = "a_users"
	VerbAdminUser  Verb = "a_user" // a user
)

// userNumber is a user in a button.
func userNumber(id atlas.TelegramID) string { return strconv.FormatInt(int64(id), 10) }

// userName is the @name of a user without what turns a line around, or a dash.
func userName(username string) string {
	name := strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) || unicode.IsSpace(c) {
			return -1
		}
		return c
	}, username)
	if name == "" {
		return "—"
	}
	return "@" + name
}

// AskUser asks whom to look for.
func AskUser(t *i18n.Text) Screen { return searchScreen(t, t.HTML("admin.user_ask")) }

// WrongUser asks again, after what can be nobody's name.
func WrongUser(t *i18n.Text) Screen { return searchScreen(t, t.HTML("admin.user_wrong")) }

// NobodyFound says that there is no such user.
func NobodyFound(t *i18n.Text) Screen {
	s := searchScreen(t, t.HTML("admin.user_nobody"))
	s.Rows = append([][]Button{row(press(t, "button.a_search", VerbAdminUsers))}, s.Rows...)
	return s
}

func searchScreen(t *i18n.Text, text i18n.HTML) Screen {
	return Screen{Text: text, Rows: [][]Button{toAdmin(t), toMenu(t)}}
}

// FoundUsers lets an admin choose among several.
func FoundUsers(t *i18n.Text, found []sqlapi.FoundUser, isMore bool) Screen {
	s := Screen{Text: t.HTML("admin.user_found")}
	if isMore {
		s.Text = i18n.Join("\n", s.Text, t.HTML("admin.user_found_more"))
	}
	for _, u := range found {
		label := t.Plain("button.a_user", i18n.Args{"name": clipName(userName(u.Username)), "id": int64(u.TelegramID)})
		if u.IsBlocked {
			label = "⛔ " + label
		}
		s.Rows = append(s.Rows, row(Button{Label: label, Data: VerbAdminUser.With(userNumber(u.TelegramID))}))
	}
	s.Rows = append(s.Rows, row(press(t, "button.a_search", VerbAdminUsers)), toAdmin(t))
	return s
}

// How much of somebody's words stands on a screen beside other things, in a line of a list, and on a button.
const (
	maxBrief      = 300
	maxShort      = 80
	maxButtonName = 32
)

func brief(text string) string { return shorten(text, maxBrief) }

func short(text string) string { return shorten(text, maxShort) }

func clipName(name string) string { return shorten(name, maxButtonName) }

// UserCard shows a user to an admin, with what can be done.
func UserCard(t *i18n.Text, c sqlapi.Card) Screen {
	id := userNumber(c.TelegramID)
	rows := [][]Button{
		row(press(t, "button.a_credit", VerbAdminCredit, id), press(t, "button.a_debit", VerbAdminDebit, id)),
		row(press(t, "button.a_grant", VerbAdminGrant, id)),
	}
	if c.Status == atlas.ActiveSubscription || c.Status == atlas.TrialSubscription {
		rows[1] = append(rows[1], press(t, "button.a_revoke", VerbAdminRevoke, id))
		rows = append(rows, row(press(t, "button.a_reissue", VerbAdminReissue, id)))
	}
	vip, block := press(t, "button.a_vip", VerbAdminVIP, id), press(t, "button.a_block", VerbAdminBlock, id)
	if c.IsVIP {
		vip = press(t, "button.a_vip_off", VerbAdminVIP, id)
	}
	if c.IsBlocked {
		block = press(t, "button.a_unblock", VerbAdminUnblock, id)
	}
	audit := row(press(t, "button.a_audit_on", VerbAdminAuditOn, id))
	if c.IsAdmin {
		audit = append(audit, press(t, "button.a_audit_by", VerbAdminAuditBy, id))
	}
	return Screen{Text: userText(t, c), Rows: append(rows,
		row(press(t, "button.a_discount", VerbAdminDiscount, id), vip),
		row(press(t, "button.a_history", VerbAdminHistory, id), press(t, "button.a_purchases", VerbAdminPurchases, id)),
		audit,
		row(block, press(t, "button.refresh", VerbAdminUser, id)),
		row(press(t, "button.a_search", VerbAdminUsers)),
		toAdmin(t),
	)}
}

func userText(t *i18n.Text, c sqlapi.Card) i18n.HTML {
	return i18n.Join("\n\n", userPerson(t, c), userHas(t, c), userDid(t, c))
}

// userHead names a user.
func userHead(t *i18n.Text, c sqlapi.Card) i18n.HTML {
	return t.HTML("admin.user_head", i18n.Args{"name": userName(c.Username), "id": int64(c.TelegramID)})
}

// userPerson is who the user is.
func userPerson(t *i18n.Text, c sqlapi.Card) i18n.HTML {
	lines := []i18n.HTML{
		userHead(t, c),
		t.HTML("admin.user_since", i18n.Args{"at": c.RegisteredAt, "language": string(c.Language)}),
	}
	if c.IsAdmin {
		lines = append(lines, t.HTML("admin.user_is_admin"))
	}
	if !c.IsReachable {
		lines = append(lines, t.HTML("admin.user_unreachable"))
	}
	switch {
	case c.IsBlocked && c.BlockedAt != nil:
		lines = append(lines, t.HTML("admin.user_blocked", i18n.Args{"at": *c.BlockedAt, "reason": brief(c.BlockedReason)}))
	case c.IsBlocked:
		lines = append(lines, t.HTML("admin.user_blocked_once"))
	}
	if c.ReferrerID != 0 {
		lines = append(lines, t.HTML("admin.user_referrer", i18n.Args{"id": int64(c.ReferrerID)}))
	}
	return i18n.Join("\n", lines...)
}

// userHas is what the user has now.
func userHas(t *i18n.Text, c sqlapi.Card) i18n.HTML {
	lines := []i18n.HTML{subscription(t, sqlapi.CurrentSubscription{
		Status: c.Status, Tariff: c.Tariff, ExpiresAt: c.ExpiresAt, Activation: c.Activation,
	})}
	if c.AutoRenew {
		lines = append(lines, t.HTML("admin.user_auto_renew"))
	}
	lines = append(lines, t.HTML("profile.balance", i18n.Args{"balance": c.Available}))
	if c.Held > 0 {
		lines = append(lines, t.HTML("profile.held", i18n.Args{"held": c.Held}))
	}
	if c.Debt > 0 {
		lines = append(lines, t.HTML("profile.debt", i18n.Args{"debt": c.Debt}))
	}
	if c.WithdrawalID != 0 {
		lines = append(lines, t.HTML("admin.user_withdrawal", i18n.Args{"number": c.WithdrawalID, "amount": c.Withdrawal}))
	}
	if c.IsVIP {
		lines = append(lines, t.HTML("admin.user_vip"))
	}
	switch {
	case c.PersonalPercent > 0 && c.PersonalExpiresAt != nil:
		lines = append(lines, t.HTML("admin.user_discount_until", i18n.Args{"percent": c.PersonalPercent, "until": *c.PersonalExpiresAt}))
	case c.PersonalPercent > 0:
		lines = append(lines, t.HTML("admin.user_discount", i18n.Args{"percent": c.PersonalPercent}))
	}
	return i18n.Join("\n", lines...)
}

// userDid is what the user has bought, paid and brought.
func userDid(t *i18n.Text, c sqlapi.Card) i18n.HTML {
	lines := []i18n.HTML{t.HTML("admin.user_purchases", i18n.Args{"purchases": c.Purchases, "amount": c.Spent})}
	if c.LastPaidAt != nil {
		lines = append(lines, t.HTML("admin.user_last_purchase", i18n.Args{
			"what": planName(t, c.LastTariff, c.LastMonths), "price": c.LastPrice, "at": *c.LastPaidAt,
			"way": wayName(t, c.LastPaidWith),
		}))
	}
	if c.PaymentAt != nil {
		lines = append(lines, t.HTML("admin.user_payment", i18n.Args{
			"way": wayName(t, c.PaymentFrom), "amount": c.PaymentWorth, "at": *c.PaymentAt,
			"outcome": known(t, "word.outcome_"+c.PaymentOutcome, c.PaymentOutcome),
		}))
	}
	if c.Invited > 0 {
		lines = append(lines, t.HTML("admin.user_referrals", i18n.Args{
			"invited": c.Invited, "paying": c.Paying, "earned": c.Earned,
		}))
	}
	return i18n.Join("\n", lines...)
}

// wayName is how something was paid.
func wayName(t *i18n.Text, way string) string { return known(t, "word.way_"+way, way) }

// known is the catalogue's word under a key, or how the database calls what it has no word for.
func known(t *i18n.Text, key, name string) string {
	if t.Has(key) {
		return t.Plain(key)
	}
	return name
}
