package screen

import (
	"net/url"

	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// VerbLoyalty shows the link to invite with.
const VerbLoyalty Verb = "loyalty"

// Loyalty shows a person's link, level and what they have earned. The name is the bot's own.
func Loyalty(t *i18n.Text, stats sqlapi.ReferralStats, botName string) Screen {
	link := "https://t.me/" + url.PathEscape(botName) + "?start=ref_" + url.QueryEscape(stats.Code)
	lines := []i18n.HTML{
		t.HTML("loyalty.text", i18n.Args{"percent": stats.Percent}),
		t.HTML("loyalty.link", i18n.Args{"link": link}),
		i18n.Join("\n",
			t.HTML("loyalty.level", i18n.Args{"level": levelName(t, stats.Level), "percent": stats.Percent}),
			t.HTML("loyalty.people", i18n.Args{"invited": stats.Invited, "paying": stats.Paying}),
			t.HTML("loyalty.earned", i18n.Args{"earned": stats.Earned})),
		nextLevel(t, stats),
	}
	share := url.Values{"url": {link}, "text": {t.Plain("word.invitation")}}
	return Screen{
		Text: i18n.Join("\n\n", lines...),
		Rows: [][]Button{
			row(Button{Label: t.Plain("button.share"), URL: "https://t.me/share/url?" + share.Encode()},
				Button{Label: t.Plain("button.copy_link"), Copy: link}),
			row(press(t, "button.withdraw", VerbWithdraw), press(t, "button.history", VerbHistory)),
			toMenu(t),
		},
	}
}

func nextLevel(t *i18n.Text, stats sqlapi.ReferralStats) i18n.HTML {
	if stats.NextLevel == "" {
		return t.HTML("loyalty.highest")
	}
	return t.HTML("loyalty.next", i18n.Args{
		"level": levelName(t, stats.NextLevel), "percent": stats.NextPercent, "paying": stats.Paying, "from": stats.NextFromPaying,
	})
}

// levelName is the level's name in the catalogue, or as the database calls one that the catalogue does not know yet.
func levelName(t *i18n.Text, level string) string {
	if key := "word.level_" + level; t.Has(key) {
		return t.Plain(key)
	}
	return level
}
