package screen

import (
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// VerbStatus shows whether the service works.
const VerbStatus Verb = "status"

// service is what ops.service_status calls all of it together.
const service = "service"

// Status says whether the service works and what of it does not. What is not known is left out: it is not configured here,
// or nobody has looked at it lately.
func Status(t *i18n.Text, states []sqlapi.ServiceState) Screen {
	head := t.HTML("status.service_unknown")
	var lines []i18n.HTML
	for _, s := range states {
		if s.Component == service {
			if key := "status.service_" + s.State; t.Has(key) {
				head = t.HTML(key)
			}
			continue
		}
		lines = append(lines, component(t, s))
	}
	return Screen{
		Text: i18n.Join("\n\n", head, i18n.Join("\n", lines...)),
		Rows: [][]Button{
			row(press(t, "button.refresh", VerbStatus), press(t, "button.support", VerbSupport)),
			row(back(t, VerbSettings)),
			toMenu(t),
		},
	}
}

func component(t *i18n.Text, s sqlapi.ServiceState) i18n.HTML {
	name := "word.service_" + s.Component
	switch {
	case !t.Has(name):
		return ""
	case s.State == "up":
		return t.HTML("status.up", i18n.Args{"what": t.Plain(name)})
	case s.State == "down" && s.Since != nil:
		return t.HTML("status.down", i18n.Args{"what": t.Plain(name), "since": *s.Since})
	default:
		return ""
	}
}
