package screen

import (
	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// The verbs of referrals.
const (
	VerbReferrals    Verb = "a_refs"
	VerbReferralTop  Verb = "a_refs_top" // after whom a page begins
	VerbReferralFind Verb = "a_refs_find"
	VerbReferrer     Verb = "a_ref"         // a user
	VerbInvited      Verb = "a_ref_invited" // a user, a dot, and before whom a page begins
)

// Referrals shows the totals.
func Referrals(t *i18n.Text, o sqlapi.ReferralOverview, levels []sqlapi.ReferralLevel) Screen {
	lines := []i18n.HTML{t.HTML("referrals.head", i18n.Args{"invited": o.Invited})}
	for _, l := range levels {
		args := i18n.Args{"referrers": l.Referrers, "paying": l.Paying, "earned": l.Earned}
		if l.Level == "" {
			lines = append(lines, t.HTML("referrals.all", args))
			continue
		}
		args["level"], args["percent"] = levelName(t, l.Level), l.Percent
		lines = append(lines, t.HTML("referrals.level", args))
	}
	lines = append(lines, "", t.HTML("referrals.owed", i18n.Args{"rewards": o.OwedRewards, "owed": o.Owed}))
	return Screen{Text: i18n.Join("\n", lines...), Rows: [][]Button{
		row(press(t, "button.refs_top", VerbReferralTop), press(t, "button.refs_find", VerbReferralFind)),
		row(press(t, "button.refresh", VerbReferrals)), toAdmin(t),
	}}
}

// ReferralTop lists those with the most paying referrals.
func ReferralTop(t *i18n.Text, page Page[sqlapi.TopReferrer]) Screen {
	s := Screen{Text: t.HTML("referrals.top")}
	if len(page.Lines) == 0 {
		s.Text = i18n.Join("\n", s.Text, t.HTML("referrals.nobody_yet"))
	}
	for _, r := range page.Lines {
		s.Text = i18n.Join("\n", s.Text, t.HTML("referrals.top_line", i18n.Args{
			"who": who(t, r.TelegramID, r.Username), "paying": r.Paying, "level": levelName(t, r.Level), "earned": r.Earned,
		}))
		s.Rows = append(s.Rows, row(referrerButton(t, r.TelegramID, r.Username)))
	}
	turn := page.turn(t, VerbReferralTop, func(r sqlapi.TopReferrer) string { return userNumber(r.TelegramID) })
	s.Rows = append(append(s.Rows, turn...), row(back(t, VerbReferrals)), toAdmin(t))
	return s
}

func referrerButton(t *i18n.Text, id atlas.TelegramID, username string) Button {
	return Button{
		Label: t.Plain("button.a_user", i18n.Args{"name": clipName(userName(username)), "id": int64(id)}),
		Data:  VerbReferrer.With(userNumber(id)),
	}
}

// ReferrerQuestion is why a referrer is asked for.
type ReferrerQuestion string

// The reasons to ask.
const (
	ReferrerAsked  ReferrerQuestion = "asked"
	ReferrerNoName ReferrerQuestion = "no_name"
	ReferrerNobody ReferrerQuestion = "nobody"
)

// AskReferrer asks whom to look for.
func AskReferrer(t *i18n.Text, reason ReferrerQuestion) Screen {
	return Screen{Text: t.HTML("referrals.find_" + string(reason)), Rows: [][]Button{
		row(press(t, "button.leave", VerbReferrals)), toAdmin(t),
	}}
}

// FoundReferrers lets an admin choose among several.
func FoundReferrers(t *i18n.Text, found []sqlapi.FoundReferrer) Screen {
	s := Screen{Text: t.HTML("admin.user_found")}
	for _, f := range found {
		s.Rows = append(s.Rows, row(referrerButton(t, f.TelegramID, f.Username)))
	}
	s.Rows = append(s.Rows, row(back(t, VerbReferrals)), toAdmin(t))
	return s
}

// Referrer shows a person as a referrer.
func Referrer(t *i18n.Text, d sqlapi.ReferralDetail) Screen {
	lines := []i18n.HTML{
		t.HTML("referrer.head", i18n.Args{"who": who(t, d.TelegramID, d.Username), "code": d.Code, "at": d.RegisteredAt}),
		t.HTML("referrer.level", i18n.Args{"level": levelName(t, d.Level), "percent": d.Percent}),
		t.HTML("referrer.people", i18n.Args{"invited": d.Invited, "paying": d.Paying}),
		t.HTML("referrer.money", i18n.Args{"earned": d.Earned, "clawed_back": d.ClawedBack, "owed": d.OwedRewards}),
	}
	rows := [][]Button{
		row(press(t, "button.ref_invited", VerbInvited, userNumber(d.TelegramID)), press(t, "button.to_user", VerbAdminUser, userNumber(d.TelegramID))),
	}
	if d.ReferrerID != 0 {
		lines = append(lines, t.HTML("referrer.by", i18n.Args{"who": who(t, d.ReferrerID, d.ReferrerUsername)}))
		rows = append(rows, row(press(t, "button.ref_by", VerbReferrer, userNumber(d.ReferrerID))))
	}
	return Screen{Text: i18n.Join("\n", lines...), Rows: append(rows, row(back(t, VerbReferrals)), toAdmin(t))}
}

// Invited lists whom a person has invited.
func Invited(t *i18n.Text, user atlas.TelegramID, page Page[sqlapi.InvitedPerson]) Screen {
	s := Screen{Text: t.HTML("referrer.invited", i18n.Args{"who": who(t, user, "")})}
	if len(page.Lines) == 0 {
		s.Text = i18n.Join("\n", s.Text, t.HTML("referrer.invited_nobody"))
	}
	for _, p := range page.Lines {
		args := i18n.Args{"who": who(t, p.TelegramID, p.Username), "at": i18n.Day(p.RegisteredAt)}
		line := t.HTML("referrer.guest", args)
		if p.PaysSince != nil {
			args["since"] = i18n.Day(*p.PaysSince)
			line = t.HTML("referrer.guest_pays", args)
		}
		s.Text = i18n.Join("\n", s.Text, line)
		s.Rows = append(s.Rows, row(referrerButton(t, p.TelegramID, p.Username)))
	}
	if !page.IsFirst {
		s.Rows = append(s.Rows, row(press(t, "button.to_start", VerbInvited, userNumber(user))))
	}
	if page.HasMore {
		last := page.Lines[len(page.Lines)-1].TelegramID
		s.Rows = append(s.Rows, row(press(t, "button.further", VerbInvited, userNumber(user)+"."+userNumber(last))))
	}
	s.Rows = append(s.Rows, row(back(t, VerbReferrer, userNumber(user))), toAdmin(t))
	return s
}
