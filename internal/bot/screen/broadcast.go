package screen

import (
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// VerbNews is the button under a broadcast: where it leads is the database's to say.
const VerbNews Verb = "news" // a broadcast

// BroadcastDoneArgs are how many people a broadcast has reached, and how many not.
type BroadcastDoneArgs struct {
	Title       string `json:"title"`
	Sent        int64  `json:"sent"`
	Unreachable int64  `json:"unreachable"`
	Failed      int64  `json:"failed"`
	Unknown     int64  `json:"unknown"`
}

// Broadcast is what people get; the text is plain, and nothing stands around it: it may be as long as a message can be.
func Broadcast(t *i18n.Text, id int64, text, offer string) Screen {
	s := Screen{Text: t.HTML("notice.broadcast", i18n.Args{"text": text})}
	if offer != sqlapi.OfferNone {
		s.Rows = append(s.Rows, row(press(t, "button.news_"+offer, VerbNews, numbered(id))))
	}
	s.Rows = append(s.Rows, toMenu(t))
	return s
}

// BroadcastDone tells who wrote a broadcast how it went.
func BroadcastDone(t *i18n.Text, args BroadcastDoneArgs) Screen {
	return Screen{Text: t.HTML("notice.broadcast_done", i18n.Args{
		"title": clip(args.Title), "sent": args.Sent, "unreachable": args.Unreachable, "failed": args.Failed,
		"unknown": args.Unknown,
	}), Rows: [][]Button{row(press(t, "button.broadcasts", VerbBroadcasts)), toMenu(t)}}
}
