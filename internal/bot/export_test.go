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

// Commands lists the commands.
func (b *Bot) Commands() []string {
	var names []string
	for name := range b.routes.commands {
		names = append(names, name)
	}
	return names
}

// PollLeaseTTL is how long a poller may be silent.
const PollLeaseTTL = pollLeaseTTL

// ParseAmount is parseAmount.
func ParseAmount(text string) (atlas.Kopecks, error) { return parseAmount(text) }
