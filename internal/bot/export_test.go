package bot

import (
	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
)

// HasRoute says whether a button with the verb leads anywhere.
func (b *Bot) HasRoute(verb screen.Verb) bool {
	_, is := b.routes.verbs[verb]
	return is
}

// Commands lists the commands that everybody has.
func (b *Bot) Commands() []string {
	var names []string
	for name, route := range b.routes.commands {
		if !route.isAdmin {
			names = append(names, name)
		}
	}
	return names
}

// PollLeaseTTL is how long a poller may be silent.
const PollLeaseTTL = pollLeaseTTL

// ParseAmount is parseAmount.
func ParseAmount(text string) (atlas.Kopecks, error) { return parseAmount(text) }
