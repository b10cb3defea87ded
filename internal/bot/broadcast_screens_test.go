package bot_test

import (
	"fmt"
	"strings"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// broadcastScreens draws the admins' screens about broadcasts, and what people get of one.
func broadcastScreens(text *i18n.Text, screens map[string]screen.Screen, soon time.Time) {
	for _, ask := range []screen.BroadcastAsk{screen.BroadcastTitle, screen.BroadcastKind, screen.BroadcastTexts, screen.BroadcastTextOne, screen.BroadcastTextA,
		screen.BroadcastTextB, screen.BroadcastSegment, screen.BroadcastText, screen.BroadcastOffer} {
		screens["ask broadcast "+string(ask)] = screen.AskBroadcast(text, ask, false)
	}
	for _, ask := range []screen.BroadcastAsk{screen.BroadcastTitle, screen.BroadcastTextOne, screen.BroadcastTextA, screen.BroadcastTextB, screen.BroadcastText} {
		screens["ask broadcast again "+string(ask)] = screen.AskBroadcast(text, ask, true)
	}
	screens["broadcasts"] = screen.Broadcasts(text)
	for _, offer := range []string{"none", "buy", "trial", "status", "key"} {
		screens["broadcast "+offer] = screen.Broadcast(text, 12, strings.Repeat("ы", 4096), offer)
		screens["broadcast preview "+offer] = screen.BroadcastPreview(text, sqlapi.ShownBroadcast{BroadcastID: 12, TextA: "x", Offer: offer}, "a")
	}
	for _, list := range []string{screen.BroadcastsDraft, screen.BroadcastsRunning, screen.BroadcastsOver} {
		screens["no broadcasts "+list] = screen.BroadcastList(text, list, nil, false, true)
	}
	for _, status := range []string{"draft", "scheduled", "running", "paused", "done", "cancelled"} {
		shown := sqlapi.ShownBroadcast{
			BroadcastID: 12, Title: strings.Repeat("<", 128), Kind: "maintenance", Segment: "no_subscription", Offer: "status",
			TextA: strings.Repeat("ы", 4096), TextB: strings.Repeat("ы", 4096), Status: status, PreparedBy: 1<<52 - 1,
			PreparedByName: strings.Repeat("<x_", 21), PreparedAt: soon, StartsAt: &soon, IsBegun: status != "scheduled", Expected: 1e9,
			IsEstimate: true, SentA: 1e9, SentB: 1e9, PressedA: 1e9, PressedB: 1e9, Unreachable: 1e9, Failed: 1e9, Unknown: 1e9, Left: 1e9,
		}
		if status == "scheduled" {
			shown.Status = "running"
		}
		if status != "draft" {
			shown.MovedBy, shown.MovedByName, shown.MovedAt = shown.PreparedBy, shown.PreparedByName, &soon
			shown.PerMinute, shown.EndsAt = 1500, &soon
		}
		if status == "done" || status == "cancelled" {
			shown.EndedAt = &soon
		}
		screens["broadcast card "+status] = screen.BroadcastCard(text, shown)
		screens["broadcast preview b "+status] = screen.BroadcastPreview(text, shown, "b")
		screens["broadcast stop "+status] = screen.ConfirmBroadcastCancel(text, shown, atlas.DraftID(purchaseID))
		screens["broadcast already "+status] = screen.Screen{Text: "x", Rows: screens["broadcasts"].Rows, Toast: screen.BroadcastAlready(text, shown)}
		screens["confirm broadcast "+status] = screen.ConfirmBroadcast(text, shown, nil, atlas.DraftID(purchaseID))
		screens["confirm broadcast later "+status] = screen.ConfirmBroadcast(text, shown, &soon, atlas.DraftID(purchaseID))
		for _, reason := range []screen.BroadcastWhen{screen.BroadcastWhenAsk, screen.BroadcastWhenWrong, screen.BroadcastWhenPast,
			screen.BroadcastWhenFar, screen.BroadcastWhenMute} {
			screens["when "+string(reason)] = screen.AskBroadcastWhen(text, reason, shown)
		}
		shown.TextB, shown.IsEstimate = "", false
		screens["broadcast card one text "+status] = screen.BroadcastCard(text, shown)
		listed := sqlapi.ListedBroadcast{BroadcastID: 12, Title: shown.Title, Status: shown.Status, IsBegun: shown.IsBegun, Sent: 1e9}
		var page []sqlapi.ListedBroadcast
		for range screen.BroadcastPage {
			page = append(page, listed)
		}
		screens[fmt.Sprint("broadcast list ", status)] = screen.BroadcastList(text, "draft", page, true, false)
	}
}
