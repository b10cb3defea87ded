package screen

import (
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// What admins do about keys as a whole.
const (
	VerbVPNKeys        Verb = "a_vpn"
	VerbReissueAll     Verb = "a_vpn_all"
	VerbReissueAllYes  Verb = "a_vpn_all_yes"  // a draft
	VerbReissueStop    Verb = "a_vpn_stop"     // a request
	VerbReissueStopYes Verb = "a_vpn_stop_yes" // a draft
)

// VPNKeys shows how it is about keys; last is the open request that everybody be given a new one, or the last, or nil.
func VPNKeys(t *i18n.Text, now sqlapi.KeysOverview, last *sqlapi.MassReissue) Screen {
	lines := []i18n.HTML{
		t.HTML("vpn_keys.head"), inForce(t, now),
		t.HTML("vpn_keys.undelivered", i18n.Args{"waiting": now.Waiting, "failed": now.Failed}),
	}
	everybody := press(t, "button.vpn_all", VerbReissueAll)
	if last != nil {
		lines = append(lines, "")
		lines = append(lines, massReissue(t, *last)...)
		if last.IsOpen() {
			everybody = press(t, "button.vpn_stop", VerbReissueStop, numbered(last.RequestID))
		}
	}
	return Screen{Text: i18n.Join("\n", lines...), Rows: [][]Button{
		row(press(t, "button.keys_tried", VerbKeysTried), press(t, "button.keys_new", VerbKeysNew)),
		row(press(t, "button.vpn_one", VerbAdminUsers)),
		row(everybody),
		row(press(t, "button.refresh", VerbVPNKeys)), toAdmin(t), toMenu(t),
	}}
}

// inForce says how many people have a subscription.
func inForce(t *i18n.Text, now sqlapi.KeysOverview) i18n.HTML {
	args := i18n.Args{"people": t.CountPlain("word.people", int(now.People))}
	if now.IsEstimate {
		return t.HTML("vpn_keys.in_force_about", args)
	}
	return t.HTML("vpn_keys.in_force", args)
}

// massReissue says how far a request is, or how it ended.
func massReissue(t *i18n.Text, r sqlapi.MassReissue) []i18n.HTML {
	lines := []i18n.HTML{
		t.HTML("vpn_keys.is_"+r.Status, i18n.Args{
			"who": who(t, r.AdminID, r.Username), "at": r.RequestedAt, "ended": moment(r.EndedAt),
			"stopper": who(t, r.EndedBy, r.EndedByName),
		}),
		t.HTML("vpn_keys.done", i18n.Args{"done": r.Done, "expected": r.Expected}),
	}
	for _, each := range []struct {
		name   string
		people int64
	}{{"skipped", r.Skipped}, {"failed", r.Failed}, {"waiting", r.Waiting}, {"removing", r.Removing}} {
		if each.people > 0 {
			lines = append(lines, t.HTML("vpn_keys."+each.name, i18n.Args{"people": each.people}))
		}
	}
	if r.SecondsLeft != nil {
		lines = append(lines, t.HTML("vpn_keys.left", i18n.Args{"left": lasting(t, *r.SecondsLeft)}))
	}
	return lines
}

// lasting writes how long something takes, rounded up to minutes or hours.
func lasting(t *i18n.Text, seconds int64) string {
	const minute, hour = 60, 3600
	switch {
	case seconds < minute:
		return t.Plain("word.under_a_minute")
	case time.Duration(seconds)*time.Second <= minutesUpTo:
		return t.CountPlain("word.minutes", int((seconds+minute-1)/minute))
	default:
		return t.CountPlain("word.hours", int((seconds+hour-1)/hour))
	}
}

// ConfirmReissueAll asks before everybody is given a new key.
func ConfirmReissueAll(t *i18n.Text, now sqlapi.KeysOverview, draft atlas.DraftID) Screen {
	return Screen{
		Text: i18n.Join("\n", t.HTML("vpn_keys.confirm"), inForce(t, now),
			t.HTML("vpn_keys.confirm_takes", i18n.Args{"takes": lasting(t, now.ReissueSeconds)})),
		Rows: [][]Button{
			row(press(t, "button.vpn_all_yes", VerbReissueAllYes, string(draft))), row(back(t, VerbVPNKeys)), toAdmin(t),
		},
	}
}

// ConfirmReissueStop asks before that is stopped.
func ConfirmReissueStop(t *i18n.Text, r sqlapi.MassReissue, draft atlas.DraftID) Screen {
	return Screen{
		Text: i18n.Join("\n", t.HTML("vpn_keys.confirm_stop"), t.HTML("vpn_keys.done", i18n.Args{"done": r.Done, "expected": r.Expected})),
		Rows: [][]Button{
			row(press(t, "button.vpn_stop_yes", VerbReissueStopYes, string(draft))), row(back(t, VerbVPNKeys)), toAdmin(t),
		},
	}
}

// ReissueUnderWay says in a moment that another request was first.
func ReissueUnderWay(t *i18n.Text, r sqlapi.MassReissue) string {
	return t.Plain("alert.vpn_under_way", i18n.Args{"admin": adminName(r.AdminID, r.Username), "at": r.RequestedAt})
}

// ReissueEnded says in a moment how a request has ended that was to be stopped.
func ReissueEnded(t *i18n.Text, r sqlapi.MassReissue) string {
	return t.Plain("alert.vpn_was_"+r.Status, i18n.Args{"admin": adminName(r.EndedBy, r.EndedByName), "at": moment(r.EndedAt)})
}
