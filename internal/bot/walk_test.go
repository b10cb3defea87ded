package bot_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/sandbox/botapi"
)

var update = flag.Bool("update", false, "write the transcripts instead of comparing with them")

// TestEveryRouteIsWalked goes wherever a person can go, in every state and both languages. See walk_doc_test.go.
func TestEveryRouteIsWalked(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	transcripts := map[string]map[string]transcript{"ru": {}, "en": {}}
	visited := map[string]bool{}
	walked := 0
	t.Run("walks", func(t *testing.T) {
		for language := range transcripts {
			for _, who := range actors() {
				t.Run(language+"/"+who.name, func(t *testing.T) {
					t.Parallel()
					w := newWalker(who, language)
					w.walk(t)
					mu.Lock()
					defer mu.Unlock()
					walked++
					transcripts[language][who.name] = w.transcript
					for route, isVisited := range w.visited {
						visited[route] = visited[route] || isVisited
					}
				})
			}
		}
	})
	if t.Failed() || walked < len(actors())*len(transcripts) { // or some were asked for alone
		return
	}
	for language, all := range transcripts {
		compareTranscript(t, language, all)
	}
	requireAllVisited(t, visited)
}

func requireAllVisited(t *testing.T, visited map[string]bool) {
	t.Helper()
	made, err := bot.New(bot.Parts{})
	require.NoError(t, err)
	var missed []string
	for _, route := range made.Routes() {
		if !visited[route.Name()] {
			missed = append(missed, route.Name())
		}
	}
	require.Empty(t, missed, "no walk has come to these routes. No button of a screen that an actor saw leads there:\n"+
		"  - is the button missing on the screen that should have it?\n"+
		"  - does it show in a state only that nobody is in? Then bring an actor of walk_actors_test.go into it, e.g. in\n"+
		"    (*stage).customer: s.desk.One(\"withdrawal.request\", desk.A{…}), or add an actor of your own to actors()\n"+
		"  - is it a dialogue's step? Then walk_says_test.go must have what leads to it: _ = says(\"promo.code\", \"WALK\")")
}

func compareTranscript(t *testing.T, language string, all map[string]transcript) {
	t.Helper()
	var names []string
	for _, who := range actors() {
		names = append(names, who.name)
	}
	title := map[string]string{"ru": "Что видно в боте", "en": "What people see"}[language]
	got := write(title, names, all)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(transcriptFile(language), []byte(got), 0o600))
	}
	want, err := os.ReadFile(transcriptFile(language))
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "what people see has changed; if that is meant:\n"+
		"  go test ./internal/bot -run TestEveryRouteIsWalked -update")
}

// maxWays is far above what there is: ids that the walk takes for different buttons would send it on for ever.
const maxWays = 1500

// walker walks every way there is for one actor.
type walker struct {
	who        actor
	language   string
	routes     []bot.Route
	todo       []way
	known      map[string]bool // by way.last
	visited    map[string]bool // routes
	probed     map[string]bool // by way.last
	alike      map[string]int
	transcript transcript
	faults     []string
	walked     int
}

func newWalker(who actor, language string) *walker {
	return &walker{
		who: who, language: language,
		known: map[string]bool{}, visited: map[string]bool{}, probed: map[string]bool{}, alike: map[string]int{},
	}
}

// walk goes on until there is no way left. Every person is used until something has changed.
func (w *walker) walk(t *testing.T) {
	t.Helper()
	made, err := bot.New(bot.Parts{})
	require.NoError(t, err)
	w.routes = made.Routes()
	w.plan(way{{kind: writes, text: "/start"}})
	for _, route := range w.routes {
		if route.Command != "" {
			w.plan(way{{kind: writes, text: "/" + route.Command}})
		}
	}
	w.plan(way{{kind: writes, text: "/nosuchcommand"}})
	w.plan(way{{kind: writes, text: "hello"}})
	for n := 1; len(w.todo) > 0; n++ {
		isGood := t.Run(fmt.Sprint("stage", n), func(t *testing.T) {
			s := newStage(t)
			for isFresh := true; isFresh && len(w.todo) > 0; isFresh = !w.who.isAlone {
				s.enter(w.who, w.language)
				for isClean := true; isClean && len(w.todo) > 0; isClean = s.isClean() {
					next := w.todo[0]
					w.todo = w.todo[1:]
					t.Log(next)
					w.follow(s, next)
				}
			}
		})
		if !isGood {
			break
		}
	}
	if len(w.faults) > 0 {
		t.Errorf("%s, who speaks %s, has met this:\n\n%s", w.who.name, w.language, strings.Join(w.faults, "\n\n"))
	}
}

func (w *walker) plan(next way) {
	key := next.last()
	if w.known[key] || w.who.only != nil && !w.who.only(w.routeOf(next)) {
		return
	}
	w.known[key] = true
	if last := next[len(next)-1]; w.who.isAlone && last.kind == presses && !strings.Contains(last.data, "‹") {
		verb, _ := screen.Parse(last.data)
		place := fmt.Sprint(verb, len(next))
		if w.alike[place]++; w.alike[place] > maxAlike {
			return
		}
	}
	w.todo = append(w.todo, next)
}

// maxAlike is how many buttons with the same verb and another name after it (the eight switches, say) are pressed, so far
// down a way, by who needs a database for each.
const maxAlike = 3

// routeOf is where a way's end leads to; nowhere if it cannot be said before.
func (w *walker) routeOf(on way) bot.Route {
	last := on[len(on)-1]
	for _, each := range w.routes {
		verb, _ := screen.Parse(last.data)
		isIt := last.kind == writes && last.text == "/"+each.Command || last.kind == presses && verb == each.Verb ||
			last.kind == types && last.at == each.Name()
		if isIt {
			return each
		}
	}
	return bot.Route{}
}

// follow goes one way to its end, from the beginning, and plans where it can go on from there.
func (w *walker) follow(s *stage, on way) {
	w.walked++
	require.Less(s.t, w.walked, maxWays, "so many ways cannot be: is there an id in a label? See fleeting. Now: %s", on)
	since := w.approach(s, on)
	if w.who.probe != nil && w.language == "en" && !w.probed[on.last()] {
		w.probed[on.last()] = true
		w.fault(on, outcome{route: "a stranger's hand"}, w.who.probe(s, on, since))
		if !s.isClean() { // the way led through something that is done now
			w.todo = append([]way{on}, w.todo...)
			return
		}
		since = w.approach(s, on)
	}
	w.note(s, on, s.do(on[len(on)-1], since))
}

// approach goes a way but for its last step, and says which message was the last before.
func (w *walker) approach(s *stage, on way) (since int) {
	s.forget()
	if view := s.view(); len(view.Messages) > 0 {
		since = view.Messages[len(view.Messages)-1].MessageID
	}
	for _, each := range on[:len(on)-1] {
		if done := s.do(each, since); each.kind != follows {
			require.Empty(s.t, s.checkAnswer(done, each, w.who), "on the way %s, at %s", on, each)
		}
	}
	return since
}

// note writes down and checks what a way led to.
func (w *walker) note(s *stage, on way, done outcome) {
	last := on[len(on)-1]
	if last.kind == follows {
		w.goOn(s, on, []botapi.ChatMessage{s.lastMessage(s.t, s.me)}, done)
		return
	}
	isRefused := w.routeOf(on).IsAdmin && s.isUnknown(done)
	w.visited[done.route] = w.visited[done.route] || !isRefused
	s.listen()
	w.fault(on, done, s.checkAnswer(done, last, w.who))
	if len(done.screens) == 0 {
		w.transcript = append(w.transcript, seen{route: done.route, way: on.String(), toast: done.toast})
	}
	for _, m := range done.screens {
		w.transcript = append(w.transcript, seen{route: done.route, way: on.String(), toast: done.toast, look: s.plain(look(m))})
		w.fault(on, done, s.check(m, on))
	}
	// What the worker sends at the same time may come in any order.
	slices.SortStableFunc(done.notices, func(a, b botapi.ChatMessage) int { return strings.Compare(s.plain(look(a)), s.plain(look(b))) })
	for _, m := range done.notices {
		w.transcript = append(w.transcript, seen{route: "(the worker)", way: on.String(), look: s.plain(look(m))})
		w.fault(on, done, s.check(m, on))
	}
	w.goOn(s, on, append(done.screens, done.notices...), done)
}

func (w *walker) fault(on way, done outcome, found []string) {
	for _, each := range found {
		w.faults = append(w.faults, fmt.Sprintf("%s\n    by %s\n    drawn by %s", each, on, done.route))
	}
}

// goOn plans every button of the screens, and every answer to the question, if there is one.
func (w *walker) goOn(s *stage, on way, screens []botapi.ChatMessage, done outcome) {
	s.t.Helper()
	if done.route == string(screen.VerbLanguage) && s.text.Language() != atlas.Language(w.language) {
		return // the other language has a walk of its own
	}
	next := func(a act) { w.plan(append(slices.Clone(on), a)) }
	for _, m := range screens {
		for _, button := range slices.Concat(rowsOf(m)...) {
			switch {
			case button.CallbackData != "":
				next(act{kind: presses, text: s.plain(button.Text), data: s.plainData(button.CallbackData)})
			case button.Pay:
				next(act{kind: pays, text: m.Invoice.Currency})
			case strings.HasPrefix(button.URL, s.pay.URL) && on[len(on)-1].kind != follows:
				next(act{kind: follows})
			}
		}
	}
	if done.step == "" {
		return
	}
	if len(said[done.step]) == 0 {
		w.faults = append(w.faults, fmt.Sprintf("nobody knows what to type at %s, by %s: add to walk_says_test.go\n"+
			"    _ = says(%[1]q, \"what leads on\", \"what is refused\")", done.step, on))
	}
	for _, text := range said[done.step] {
		next(act{kind: types, at: done.step, text: text})
	}
}
