package screen

import "atlas-secure/internal/i18n"

// BroadcastDoneArgs are how many people a broadcast has reached, and how many not.
type BroadcastDoneArgs struct {
	Title       string `json:"title"`
	Sent        int64  `json:"sent"`
	Unreachable int64  `json:"unreachable"`
	Failed      int64  `json:"failed"`
	Unknown     int64  `json:"unknown"`
}

// Broadcast is what people get; the text is plain.
func Broadcast(t *i18n.Text, text string) Screen {
	return Screen{Text: t.HTML("notice.broadcast", i18n.Args{"text": text}), Rows: [][]Button{toMenu(t)}}
}

// BroadcastDone tells who wrote a broadcast how it went.
func BroadcastDone(t *i18n.Text, args BroadcastDoneArgs) Screen {
	return Screen{Text: t.HTML("notice.broadcast_done", i18n.Args{
		"title": clip(args.Title), "sent": args.Sent, "unreachable": args.Unreachable, "failed": args.Failed,
		"unknown": args.Unknown,
	}), Rows: [][]Button{toMenu(t)}}
}
