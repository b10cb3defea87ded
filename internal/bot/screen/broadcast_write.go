package screen

import (
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// The verbs of the dialogues that write a broadcast.
const (
	VerbBroadcastNew       Verb = "a_broadcast_new" // nothing, or AboutIncident
	VerbBroadcastKind      Verb = "a_bc_kind"       // what it is about
	VerbBroadcastTexts     Verb = "a_bc_ab"         // one or ab
	VerbBroadcastSegment   Verb = "a_bc_seg"        // a segment
	VerbBroadcastOffer     Verb = "a_bc_new_offer"
	VerbBroadcastOfferKind Verb = "a_bc_offer" // where its button leads
	VerbBroadcastWhen      Verb = "a_bc_when"  // a broadcast
	VerbBroadcastIn        Verb = "a_bc_in"    // a broadcast, and in how many hours
	VerbBroadcastLaunch    Verb = "a_bc_go"    // a draft of that
)

// AboutIncident begins a broadcast with what people are told of an incident.
const AboutIncident = "incident"

// BroadcastAsk is a question of these dialogues.
type BroadcastAsk string

// The questions, in the order of the dialogue. BroadcastText and BroadcastOffer are those of the short cut.
const (
	BroadcastTitle   BroadcastAsk = "title"
	BroadcastKind    BroadcastAsk = "kind"
	BroadcastTexts   BroadcastAsk = "texts"
	BroadcastTextOne BroadcastAsk = "text_one"
	BroadcastTextA   BroadcastAsk = "text_a"
	BroadcastTextB   BroadcastAsk = "text_b"
	BroadcastSegment BroadcastAsk = "segment"

	BroadcastText  BroadcastAsk = "text"
	BroadcastOffer BroadcastAsk = "offer"
)

// The answers that buttons give.
var (
	BroadcastKinds    = []string{"info", "maintenance", "security", "promo"}
	BroadcastTextsOf  = []string{"one", "ab"}
	BroadcastSegments = []string{"all", "active", "expired", "no_subscription", "never_bought"}
	BroadcastOffers   = []string{sqlapi.OfferBuy, sqlapi.OfferTrial, sqlapi.OfferNone}
)

// BroadcastHours are the times to begin that have a button: so many hours from now.
var BroadcastHours = []int{1, 3, 12, 24}

// AskBroadcast asks a question, again if the answer was no good.
func AskBroadcast(t *i18n.Text, ask BroadcastAsk, isWrong bool) Screen {
	s := Screen{Text: t.HTML("mailing.ask_" + string(ask))}
	if isWrong {
		s.Text = i18n.Join("\n\n", t.HTML("mailing.wrong_"+string(ask)), s.Text)
	}
	choose := func(verb Verb, options []string, name func(t *i18n.Text, option string) string) {
		for _, option := range options {
			s.Rows = append(s.Rows, row(Button{Label: name(t, option), Data: verb.With(option)}))
		}
	}
	switch ask {
	case BroadcastKind:
		choose(VerbBroadcastKind, BroadcastKinds, kindName)
	case BroadcastTexts:
		choose(VerbBroadcastTexts, BroadcastTextsOf, func(t *i18n.Text, option string) string { return textsName(t, option == "ab") })
	case BroadcastSegment:
		choose(VerbBroadcastSegment, BroadcastSegments, segmentName)
	case BroadcastOffer:
		choose(VerbBroadcastOfferKind, BroadcastOffers, offerName)
	case BroadcastTitle, BroadcastTextOne, BroadcastTextA, BroadcastTextB, BroadcastText:
	}
	s.Rows = append(s.Rows, row(press(t, "button.leave", VerbBroadcasts)))
	return s
}

// AskIncidentBroadcast asks what is missing in a broadcast about an incident: whom it is for, or, once the incident is over,
// what to say of that.
func AskIncidentBroadcast(t *i18n.Text, ask BroadcastAsk, isOn bool, text string) Screen {
	s := AskBroadcast(t, ask, false)
	s.Text = i18n.Join("\n\n", t.HTML("mailing.incident_"+onOrOff(isOn), i18n.Args{"text": text}), s.Text)
	s.Rows = append(s.Rows, row(back(t, VerbIncident)))
	return s
}

// BroadcastWhen is why the time is asked for.
type BroadcastWhen string

// The reasons to ask.
const (
	BroadcastWhenAsk   BroadcastWhen = "ask"     // nothing was said yet
	BroadcastWhenWrong BroadcastWhen = "wrong"   // that was no time
	BroadcastWhenPast  BroadcastWhen = "past"    // it is over
	BroadcastWhenFar   BroadcastWhen = "far"     // more than a year away
	BroadcastWhenMute  BroadcastWhen = "untyped" // only buttons: nothing typed can be taken now
)

// AskBroadcastWhen asks when a broadcast is to begin.
func AskBroadcastWhen(t *i18n.Text, reason BroadcastWhen, b sqlapi.ShownBroadcast) Screen {
	id := numbered(b.BroadcastID)
	hours := make([]Button, 0, len(BroadcastHours))
	for _, n := range BroadcastHours {
		hours = append(hours, Button{Label: t.CountPlain("button.bc_hours", n), Data: VerbBroadcastIn.With(id + "." + numbered(int64(n)))})
	}
	return Screen{
		Text: t.HTML("mailing.when_"+string(reason), i18n.Args{"title": b.Title, "zone": t.Plain("word.bc_zone")}),
		Rows: [][]Button{
			row(press(t, "button.bc_now", VerbBroadcastIn, id+".0")),
			hours[:2], hours[2:],
			row(press(t, "button.leave", VerbBroadcast, id)),
		},
	}
}

// ConfirmBroadcast shows what goes out, to whom and when, for the confirmation.
func ConfirmBroadcast(t *i18n.Text, b sqlapi.ShownBroadcast, at *time.Time, draft atlas.DraftID) Screen {
	lines := []i18n.HTML{
		t.HTML("mailing.confirm", i18n.Args{"title": b.Title}),
		t.HTML("mailing.about", i18n.Args{
			"kind": kindName(t, b.Kind), "segment": segmentName(t, b.Segment), "texts": textsName(t, b.TextB != ""),
			"offer": offerName(t, b.Offer),
		}),
		broadcastSize(t, b),
	}
	key := "button.bc_go"
	if at != nil {
		lines = append(lines, t.HTML("mailing.confirm_at", i18n.Args{"at": *at}))
		key = "button.bc_go_at"
	} else {
		lines = append(lines, t.HTML("mailing.confirm_now"))
	}
	return Screen{Text: i18n.Join("\n", lines...), Rows: [][]Button{
		row(press(t, key, VerbBroadcastLaunch, string(draft))),
		row(back(t, VerbBroadcastWhen, numbered(b.BroadcastID))),
		toAdmin(t),
	}}
}

// BroadcastLaunched says in a moment what was done.
func BroadcastLaunched(t *i18n.Text, isBegun bool) string {
	if isBegun {
		return t.Plain("alert.bc_started")
	}
	return t.Plain("alert.bc_scheduled")
}
