package bot_test

import (
	"strings"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// systemScreens draws the admins' screens of switches and incidents.
func systemScreens(c *i18n.Catalogue, text *i18n.Text, screens map[string]screen.Screen, soon time.Time) {
	long := strings.Repeat("<&>\"", 10) + strings.Repeat("ы", 960)
	var features []sqlapi.Feature
	for _, name := range []string{"admin_actions", "auto_renewal", "broadcasts", "payments", "provisioning", "trials", "withdrawals", "workers", "other"} {
		for _, isOn := range []bool{true, false} {
			f := sqlapi.Feature{Name: name, IsOn: isOn}
			screens["untouched feature "+name] = screen.Feature(text, f)
			f.ChangedAt, f.ChangedBy, f.ChangedByUsername = &soon, 1, long[:64]
			screens["feature "+name] = screen.Feature(text, f)
			screens["ask feature "+name] = screen.AskFeatureOff(text, f)
			if !isOn {
				features = append(features, f)
			}
		}
	}
	screens["features"] = screen.Features(text, features)
	for _, question := range []screen.IncidentQuestion{screen.IncidentInRussian, screen.IncidentNoRussian, screen.IncidentInEnglish, screen.IncidentNoEnglish} {
		screens["ask incident "+string(question)] = screen.AskIncident(text, question)
	}
	screens["no incident"] = screen.Incident(text, sqlapi.ShownIncident{})
	shown := sqlapi.ShownIncident{TextRu: long, TextEn: long, SetAt: &soon, SetBy: 1}
	screens["old incident"] = screen.Incident(text, shown)
	shown.IsOn, shown.Since = true, &soon
	screens["incident"] = screen.Incident(text, shown)
	draft := atlas.DraftID(purchaseID)
	screens["confirm incident"] = screen.ConfirmIncident(text, c, sqlapi.IncidentTexts{IsOn: true, TextRu: long, TextEn: long}, draft)
	screens["confirm the end"] = screen.ConfirmIncident(text, c, sqlapi.IncidentTexts{}, draft)
	for _, name := range []string{"menu", "tariffs"} {
		s := screens[name]
		s.Text = i18n.Join("\n\n", screen.Banner(text, long), s.Text)
		screens[name+" in an incident"] = s
	}
}
