package screen

import (
	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// The verbs of switches and incidents.
const (
	VerbFeatures   Verb = "a_features"
	VerbFeature    Verb = "a_feature"     // a switch
	VerbFeatureAsk Verb = "a_feature_ask" // a switch
	VerbFeatureOff Verb = "a_feature_off" // a switch
	VerbFeatureOn  Verb = "a_feature_on"  // a switch

	VerbIncident        Verb = "a_incident"
	VerbIncidentAsk     Verb = "a_incident_ask"
	VerbIncidentSame    Verb = "a_incident_same"
	VerbIncidentAgain   Verb = "a_incident_again"
	VerbIncidentEnd     Verb = "a_incident_end"
	VerbIncidentConfirm Verb = "a_incident_yes" // a draft
)

// Features lists the switches.
func Features(t *i18n.Text, all []sqlapi.Feature) Screen {
	lines := []i18n.HTML{t.HTML("feature.head")}
	var rows [][]Button
	for i, f := range all {
		lines = append(lines, featureLine(t, f))
		button := Button{Label: t.Plain("button.feature_"+onOrOff(f.IsOn), i18n.Args{"feature": featureName(t, f.Name)}),
			Data: VerbFeature.With(f.Name)}
		if i%2 == 0 {
			rows = append(rows, nil)
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], button)
	}
	return Screen{Text: i18n.Join("\n", lines...), Rows: append(rows, toAdmin(t))}
}

func featureLine(t *i18n.Text, f sqlapi.Feature) i18n.HTML {
	args := i18n.Args{"feature": featureName(t, f.Name)}
	if f.ChangedAt == nil {
		return t.HTML("feature.is_"+onOrOff(f.IsOn), args)
	}
	args["who"], args["at"] = who(t, f.ChangedBy, f.ChangedByUsername), *f.ChangedAt
	return t.HTML("feature.was_set_"+onOrOff(f.IsOn), args)
}

func onOrOff(isOn bool) string {
	if isOn {
		return "on"
	}
	return "off"
}

// Feature shows one switch, and what it switches.
func Feature(t *i18n.Text, f sqlapi.Feature) Screen {
	move := row(press(t, "button.switch_on", VerbFeatureOn, f.Name))
	if f.IsOn {
		move = row(press(t, "button.switch_off", VerbFeatureAsk, f.Name))
	}
	return Screen{
		Text: i18n.Join("\n\n", featureLine(t, f), aboutFeature(t, f.Name)),
		Rows: [][]Button{move, row(back(t, VerbFeatures)), toAdmin(t)},
	}
}

// aboutFeature says what a switch switches, if the catalogue knows it already.
func aboutFeature(t *i18n.Text, name string) i18n.HTML {
	if key := "feature.about_" + name; t.Has(key) {
		return t.HTML(key)
	}
	return ""
}

// AskFeatureOff asks to confirm that something is switched off.
func AskFeatureOff(t *i18n.Text, f sqlapi.Feature) Screen {
	return Screen{
		Text: i18n.Join("\n\n", t.HTML("feature.ask_off", i18n.Args{"feature": featureName(t, f.Name)}), aboutFeature(t, f.Name)),
		Rows: [][]Button{
			row(press(t, "button.switch_off_now", VerbFeatureOff, f.Name)), row(back(t, VerbFeature, f.Name)), toAdmin(t),
		},
	}
}

// FeatureMoved is the toast after a switch was moved.
func FeatureMoved(t *i18n.Text, name string, isOn bool) string {
	return t.Plain("alert.feature_"+onOrOff(isOn), i18n.Args{"feature": featureName(t, name)})
}

// Banner is an incident as people see it above their screens; nothing where there is none.
func Banner(t *i18n.Text, text string) i18n.HTML {
	if text == "" {
		return ""
	}
	return t.HTML("incident.banner", i18n.Args{"text": text})
}

// Incident shows admins what people are told.
func Incident(t *i18n.Text, now sqlapi.ShownIncident) Screen {
	lines := []i18n.HTML{t.HTML("incident.is_" + onOrOff(now.IsOn))}
	if now.Since != nil {
		lines = append(lines, t.HTML("incident.since", i18n.Args{"at": *now.Since}))
	}
	if now.SetAt != nil {
		lines = append(lines, t.HTML("incident.set_by", i18n.Args{"who": who(t, now.SetBy, now.SetByUsername), "at": *now.SetAt}))
	}
	lines = append(lines, "", incidentTexts(t, now.TextRu, now.TextEn))
	var rows [][]Button
	if now.IsOn {
		rows = append(rows, row(press(t, "button.incident_end", VerbIncidentEnd)), row(press(t, "button.incident_rewrite", VerbIncidentAsk)))
	} else {
		if now.TextRu != "" {
			rows = append(rows, row(press(t, "button.incident_again", VerbIncidentAgain)))
		}
		rows = append(rows, row(press(t, "button.incident_write", VerbIncidentAsk)))
	}
	if now.SetAt != nil && now.TextRu != "" {
		rows = append(rows, row(press(t, "button.incident_news", VerbBroadcastNew, AboutIncident)))
	}
	return Screen{Text: i18n.Join("\n", lines...), Rows: append(rows, toAdmin(t))}
}

func incidentTexts(t *i18n.Text, ru, en string) i18n.HTML {
	if ru == "" {
		return t.HTML("incident.no_text")
	}
	return i18n.Join("\n", t.HTML("incident.text_ru", i18n.Args{"text": ru}), t.HTML("incident.text_en", i18n.Args{"text": en}))
}

// IncidentQuestion is what is asked for.
type IncidentQuestion string

// The questions.
const (
	IncidentInRussian IncidentQuestion = "ru"
	IncidentNoRussian IncidentQuestion = "no_ru" // what came was no text
	IncidentInEnglish IncidentQuestion = "en"
	IncidentNoEnglish IncidentQuestion = "no_en"
)

// AskIncident asks for a text.
func AskIncident(t *i18n.Text, question IncidentQuestion) Screen {
	s := Screen{Text: t.HTML("incident.ask_" + string(question))}
	if question == IncidentInEnglish || question == IncidentNoEnglish {
		s.Rows = append(s.Rows, row(press(t, "button.incident_same", VerbIncidentSame)))
	}
	s.Rows = append(s.Rows, row(press(t, "button.leave", VerbIncident)))
	return s
}

// ConfirmIncident shows the banner in every language as people will see it, or asks whether the incident is over.
func ConfirmIncident(t *i18n.Text, all *i18n.Catalogue, texts sqlapi.IncidentTexts, id atlas.DraftID) Screen {
	if !texts.IsOn {
		return Screen{Text: t.HTML("incident.confirm_end"), Rows: [][]Button{
			row(press(t, "button.incident_end_now", VerbIncidentConfirm, string(id))), row(press(t, "button.leave", VerbIncident)),
		}}
	}
	return Screen{
		Text: i18n.Join("\n\n", t.HTML("incident.confirm"), Banner(all.In(atlas.Russian), texts.TextRu),
			Banner(all.In(atlas.English), texts.TextEn)),
		Rows: [][]Button{
			row(press(t, "button.incident_tell", VerbIncidentConfirm, string(id))), row(press(t, "button.leave", VerbIncident)),
		},
	}
}

// IncidentSet is the toast after an incident was set.
func IncidentSet(t *i18n.Text, isOn, isReplay bool) string {
	if isReplay {
		return t.Plain("alert.done_already")
	}
	return t.Plain("alert.incident_" + onOrOff(isOn))
}
