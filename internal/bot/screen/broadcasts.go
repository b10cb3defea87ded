package screen

import (
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// The verbs of broadcasts that exist already.
const (
	VerbBroadcasts      Verb = "a_bc"
	VerbBroadcastList   Verb = "a_bc_list"  // a state, and the broadcast before which a page begins
	VerbBroadcast       Verb = "a_bc_card"  // a broadcast
	VerbBroadcastSee    Verb = "a_bc_see"   // a broadcast, a variant, and anything when its button is tried
	VerbBroadcastPause  Verb = "a_bc_pause" // a broadcast
	VerbBroadcastResume Verb = "a_bc_on"    // a broadcast
	VerbBroadcastStop   Verb = "a_bc_stop"  // a broadcast, to ask before it is cancelled
	VerbBroadcastCancel Verb = "a_bc_kill"  // a draft of that
)

// The lists of broadcasts.
const (
	BroadcastsDraft   = "draft"
	BroadcastsRunning = "running"
	BroadcastsOver    = "over"
)

// BroadcastPage is how many broadcasts a list shows at a time.
const BroadcastPage = 8

// The states of a broadcast that buttons depend on.
const (
	broadcastDraft   = "draft"
	broadcastRunning = "running"
	broadcastPaused  = "paused"
)

// Broadcasts is where an admin begins to write to many.
func Broadcasts(t *i18n.Text) Screen {
	return Screen{Text: t.HTML("mailing.head"), Rows: [][]Button{
		row(press(t, "button.bc_new", VerbBroadcastNew)),
		row(press(t, "button.bc_offer", VerbBroadcastOffer)),
		row(press(t, "button.bc_drafts", VerbBroadcastList, BroadcastsDraft),
			press(t, "button.bc_running", VerbBroadcastList, BroadcastsRunning)),
		row(press(t, "button.bc_over", VerbBroadcastList, BroadcastsOver)),
		toAdmin(t),
		toMenu(t),
	}}
}

// BroadcastList shows one page; hasOlder says that there is another one after it.
func BroadcastList(t *i18n.Text, state string, page []sqlapi.ListedBroadcast, hasOlder, isFirst bool) Screen {
	s := Screen{Text: t.HTML("mailing.list_" + state)}
	if len(page) == 0 {
		s.Text = i18n.Join("\n\n", s.Text, t.HTML("mailing.list_empty"))
	}
	for _, b := range page {
		s.Rows = append(s.Rows, row(Button{Label: broadcastLabel(t, b), Data: VerbBroadcast.With(numbered(b.BroadcastID))}))
	}
	var paging []Button
	if !isFirst {
		paging = append(paging, press(t, "button.to_start", VerbBroadcastList, state))
	}
	if hasOlder {
		paging = append(paging, press(t, "button.older", VerbBroadcastList, state+"."+numbered(page[len(page)-1].BroadcastID)))
	}
	if len(paging) > 0 {
		s.Rows = append(s.Rows, paging)
	}
	s.Rows = append(s.Rows, row(back(t, VerbBroadcasts)), toMenu(t))
	return s
}

func broadcastLabel(t *i18n.Text, b sqlapi.ListedBroadcast) string {
	status := b.Status
	if status == broadcastRunning && !b.IsBegun {
		status = "scheduled"
	}
	return t.Plain("button.bc_is_"+status, i18n.Args{"title": shorten(b.Title, 30), "sent": b.Sent})
}

// BroadcastCard shows a broadcast and how far it is.
func BroadcastCard(t *i18n.Text, b sqlapi.ShownBroadcast) Screen {
	lines := []i18n.HTML{
		t.HTML("mailing.title", i18n.Args{"number": b.BroadcastID, "title": b.Title}),
		t.HTML("mailing.about", i18n.Args{
			"kind": kindName(t, b.Kind), "segment": segmentName(t, b.Segment), "texts": textsName(t, b.TextB != ""),
			"offer": offerName(t, b.Offer),
		}),
		broadcastState(t, b),
	}
	if b.Status == broadcastDraft {
		lines = append(lines, broadcastSize(t, b))
	} else {
		lines = append(lines, broadcastFigures(t, b)...)
	}
	return Screen{Text: i18n.Join("\n", lines...), Rows: broadcastButtons(t, b)}
}

// broadcastSize says how many people a draft is for.
func broadcastSize(t *i18n.Text, b sqlapi.ShownBroadcast) i18n.HTML {
	people := t.CountPlain("word.people", int(b.Expected))
	if b.IsEstimate {
		return t.HTML("mailing.people_about", i18n.Args{"people": people})
	}
	return t.HTML("mailing.people", i18n.Args{"people": people})
}

// broadcastState says who has brought a broadcast to where it is, and when.
func broadcastState(t *i18n.Text, b sqlapi.ShownBroadcast) i18n.HTML {
	if b.MovedAt == nil {
		return t.HTML("mailing.is_draft", i18n.Args{"admin": who(t, b.PreparedBy, b.PreparedByName), "at": b.PreparedAt})
	}
	args := i18n.Args{"admin": who(t, b.MovedBy, b.MovedByName), "at": *b.MovedAt}
	switch {
	case b.Status == broadcastRunning && !b.IsBegun:
		args["begins"] = moment(b.StartsAt)
		return t.HTML("mailing.is_scheduled", args)
	case b.Status == "done":
		args["ended"] = moment(b.EndedAt)
		return t.HTML("mailing.is_done", args)
	}
	return t.HTML("mailing.is_"+b.Status, args)
}

func broadcastFigures(t *i18n.Text, b sqlapi.ShownBroadcast) []i18n.HTML {
	lines := []i18n.HTML{t.HTML("mailing.reached", i18n.Args{"sent": b.SentA + b.SentB})}
	if b.TextB != "" {
		lines = append(lines, t.HTML("mailing.variants", i18n.Args{"a": b.SentA, "b": b.SentB}))
	}
	switch {
	case b.Offer == sqlapi.OfferNone:
	case b.TextB != "":
		lines = append(lines, t.HTML("mailing.pressed_ab", i18n.Args{"a": b.PressedA, "b": b.PressedB}))
	default:
		lines = append(lines, t.HTML("mailing.pressed", i18n.Args{"pressed": b.PressedA}))
	}
	lines = append(lines, t.HTML("mailing.not_reached", i18n.Args{
		"unreachable": b.Unreachable, "failed": b.Failed, "unknown": b.Unknown,
	}))
	if b.EndedAt == nil {
		lines = append(lines, t.HTML("mailing.left", i18n.Args{"left": b.Left}))
	}
	if b.EndsAt != nil {
		lines = append(lines, t.HTML("mailing.pace", i18n.Args{"pace": b.PerMinute, "ends": *b.EndsAt}))
	}
	return lines
}

func broadcastButtons(t *i18n.Text, b sqlapi.ShownBroadcast) [][]Button {
	id := numbered(b.BroadcastID)
	rows := [][]Button{seeButtons(t, b)}
	switch b.Status {
	case broadcastDraft:
		rows = append(rows, row(press(t, "button.bc_when", VerbBroadcastWhen, id)), row(press(t, "button.bc_discard", VerbBroadcastStop, id)))
	case broadcastRunning:
		rows = append(rows, row(press(t, "button.refresh", VerbBroadcast, id)),
			row(press(t, "button.bc_pause", VerbBroadcastPause, id), press(t, "button.bc_stop", VerbBroadcastStop, id)))
	case broadcastPaused:
		rows = append(rows, row(press(t, "button.bc_resume", VerbBroadcastResume, id), press(t, "button.bc_later", VerbBroadcastWhen, id)),
			row(press(t, "button.bc_stop", VerbBroadcastStop, id)))
	}
	return append(rows, row(back(t, VerbBroadcastList, listOf(b.Status))), toAdmin(t))
}

// listOf is the list that a broadcast in a state is in.
func listOf(status string) string {
	switch status {
	case broadcastDraft:
		return BroadcastsDraft
	case broadcastRunning, broadcastPaused:
		return BroadcastsRunning
	}
	return BroadcastsOver
}

func seeButtons(t *i18n.Text, b sqlapi.ShownBroadcast) []Button {
	id := numbered(b.BroadcastID)
	if b.TextB == "" {
		return row(press(t, "button.bc_see", VerbBroadcastSee, id+".a"))
	}
	return row(press(t, "button.bc_see_a", VerbBroadcastSee, id+".a"), press(t, "button.bc_see_b", VerbBroadcastSee, id+".b"))
}

// BroadcastPreview shows a variant exactly as people get it, above the way on.
func BroadcastPreview(t *i18n.Text, b sqlapi.ShownBroadcast, variant string) Screen {
	id := numbered(b.BroadcastID)
	text, other := b.TextA, "b"
	if variant == "b" {
		text, other = b.TextB, "a"
	}
	s := Broadcast(t, b.BroadcastID, text, b.Offer)
	s.Rows = nil
	if b.Offer != sqlapi.OfferNone {
		s.Rows = append(s.Rows, row(press(t, "button.news_"+b.Offer, VerbBroadcastSee, id+"."+variant+".x")))
	}
	if b.TextB != "" {
		s.Rows = append(s.Rows, row(press(t, "button.bc_see_"+other, VerbBroadcastSee, id+"."+other)))
	}
	s.Rows = append(s.Rows, row(press(t, "button.bc_card", VerbBroadcast, id)), toMenu(t))
	return s
}

// ConfirmBroadcastCancel asks before a broadcast is ended for good.
func ConfirmBroadcastCancel(t *i18n.Text, b sqlapi.ShownBroadcast, draft atlas.DraftID) Screen {
	text := t.HTML("mailing.confirm_cancel", i18n.Args{"title": b.Title, "sent": b.SentA + b.SentB, "left": b.Left})
	if b.Status == broadcastDraft {
		text = t.HTML("mailing.confirm_discard", i18n.Args{"title": b.Title})
	}
	return Screen{
		Text: text,
		Rows: [][]Button{
			row(press(t, "button.bc_cancel", VerbBroadcastCancel, string(draft))),
			row(back(t, VerbBroadcast, numbered(b.BroadcastID))),
			toAdmin(t),
		},
	}
}

// BroadcastAlready says who was faster.
func BroadcastAlready(t *i18n.Text, b sqlapi.ShownBroadcast) string {
	if b.MovedAt == nil {
		return t.Plain("alert.bc_changed")
	}
	return t.Plain("alert.bc_already_"+b.Status, i18n.Args{"admin": adminName(b.MovedBy, b.MovedByName), "at": *b.MovedAt})
}

// adminName is who, where there is no markup.
func adminName(id atlas.TelegramID, username string) string {
	if name := cleanUsername(username); name != "" {
		return "@" + name
	}
	return numbered(int64(id))
}

func kindName(t *i18n.Text, kind string) string { return t.Plain("word.bc_kind_" + kind) }

func segmentName(t *i18n.Text, segment string) string { return t.Plain("word.bc_segment_" + segment) }

func offerName(t *i18n.Text, offer string) string {
	if offer == sqlapi.OfferNone {
		return t.Plain("word.bc_no_button")
	}
	return t.Plain("button.news_" + offer)
}

func textsName(t *i18n.Text, isAB bool) string {
	if isAB {
		return t.Plain("word.bc_two_texts")
	}
	return t.Plain("word.bc_one_text")
}

func moment(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return *at
}
