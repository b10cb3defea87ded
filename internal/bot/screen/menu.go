package screen

import (
	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
)

// MenuArgs are what the main menu depends on. The name, which may be empty, is how the person calls himself.
type MenuArgs struct {
	Name     string
	HasTrial bool // the person can have one
}

// Menu is the main menu.
func Menu(t *i18n.Text, args MenuArgs) Screen {
	s := Screen{Text: t.HTML("menu.text_nameless")}
	if args.Name != "" {
		s.Text = t.HTML("menu.text", i18n.Args{"name": args.Name})
	}
	if args.HasTrial {
		s.Rows = append(s.Rows, row(press(t, "button.trial", VerbTrial)))
	}
	s.Rows = append(s.Rows,
		row(press(t, "button.buy", VerbBuy)),
		row(press(t, "button.profile", VerbProfile), press(t, "button.key", VerbKey)),
		row(press(t, "button.instruction", VerbInstruction), press(t, "button.loyalty", VerbLoyalty)),
		row(press(t, "button.support", VerbSupport), press(t, "button.settings", VerbSettings)))
	return s
}

// Settings leads to what is rarely needed.
func Settings(t *i18n.Text) Screen {
	return Screen{
		Text: t.HTML("settings.text"),
		Rows: [][]Button{
			row(press(t, "button.languages", VerbLanguages)),
			row(press(t, "button.renewal", VerbRenewal), press(t, "button.reissue", VerbReissue)),
			row(press(t, "button.help", VerbHelp), press(t, "button.info", VerbInfo)),
			row(press(t, "button.status", VerbStatus), press(t, "button.privacy", VerbPrivacy)),
			toMenu(t),
		},
	}
}

// Languages asks which language to speak, each in its own words. At the very first start there is nothing to go back to.
func Languages(t *i18n.Text, catalogue *i18n.Catalogue, isFirst bool) Screen {
	texts := make([]i18n.HTML, 0, len(catalogue.Languages()))
	rows := make([][]Button, 0, len(catalogue.Languages())+1)
	for _, language := range catalogue.Languages() {
		own := catalogue.In(language)
		texts = append(texts, own.HTML("language.ask"))
		rows = append(rows, row(press(own, "button.language_name", VerbLanguage, string(language))))
	}
	if !isFirst {
		rows = append(rows, row(back(t, VerbSettings)))
	}
	return Screen{Text: i18n.Join("\n", texts...), Rows: rows}
}

// Unknown answers a message that is no command and that nobody asked for.
func Unknown(t *i18n.Text) Screen {
	return Screen{Text: t.HTML("unknown.text"), Rows: [][]Button{toMenu(t)}}
}

// StartAgain answers when it is not known any more (or just not now) what was asked.
func StartAgain(t *i18n.Text) Screen {
	return Screen{Text: t.HTML("start_again.text"), Rows: [][]Button{toMenu(t)}}
}

// CannotAsk says that nothing can be typed just now, on the way back to a verb.
func CannotAsk(t *i18n.Text, verb Verb) Screen {
	return Screen{Text: t.HTML("start_again.cannot_ask"), Rows: [][]Button{row(back(t, verb)), toMenu(t)}}
}

// OldButton answers a button that this release does not have. It asks nobody, so it offers no trial.
func OldButton(t *i18n.Text, name string) Screen {
	screen := Menu(t, MenuArgs{Name: name})
	screen.Toast = t.Plain("alert.old_button")
	return screen
}

// planName writes a tariff for a time: "Basic, 3 months".
func planName(t *i18n.Text, tariff atlas.Tariff, months int) string {
	return t.Plain("word.plan", i18n.Args{"tariff": tariffName(t, tariff), "period": t.CountPlain("word.months", months)})
}

// tariffName is the tariff's name in the catalogue, or as the database calls one that the catalogue does not know yet.
func tariffName(t *i18n.Text, tariff atlas.Tariff) string {
	if key := "word.tariff_" + string(tariff); t.Has(key) {
		return t.Plain(key)
	}
	return string(tariff)
}
