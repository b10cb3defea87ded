package bot

import (
	"time"

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

// Route is a route as tests see it: a command, a button's verb, or a step of a dialogue at which something is typed.
type Route struct {
	Command    string
	Verb       screen.Verb
	Kind, Step string // of a button, too, if it belongs to a dialogue's step
	IsAdmin    bool
}

// Name is what logs and metrics call the route.
func (r Route) Name() string {
	switch {
	case r.Command != "":
		return "/" + r.Command
	case r.Verb != "":
		return string(r.Verb)
	default:
		return r.Kind + "." + r.Step
	}
}

// Routes lists everything that a person can say.
func (b *Bot) Routes() []Route {
	all := make([]Route, 0, len(b.routes.all))
	for _, r := range b.routes.all {
		all = append(all, Route{Command: r.command, Verb: r.verb, Kind: r.step.kind.Name, Step: r.step.name, IsAdmin: r.isAdmin})
	}
	return all
}

// Kinds lists the dialogues.
func (b *Bot) Kinds() []string {
	var names []string
	for _, kind := range b.routes.kinds {
		names = append(names, kind.Name)
	}
	return names
}

// ParseMoment is parseMoment.
func ParseMoment(text string, now time.Time) (time.Time, error) { return parseMoment(text, now) }

// IsBroadcastText is isBroadcastText.
func IsBroadcastText(text string) bool { return isBroadcastText(text) }
