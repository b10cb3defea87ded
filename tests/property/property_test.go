package property_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/property/model"
)

// The people of every sequence. Bert and Carl came by Anna's link, Dora by Bert's.
const (
	boss = 1
	vice = 2
	anna = 11
	bert = 12
	carl = 13
	dora = 14
)

func newWorld() *model.World {
	beginning := time.Date(2027, 1, 31, 9, 0, 0, 0, time.UTC) // a month from here ends in February
	return model.New(beginning, []int{boss, vice}, []int{anna, bert, carl, dora},
		map[int]int{bert: anna, carl: anna, dora: bert})
}

// call is one command: a call of a function, or waiting until a moment.
type call struct {
	function string
	args     model.Args
	until    time.Time
}

func (c call) String() string {
	if c.function == "" {
		return "wait until " + model.Stamp(c.until)
	}
	list := []string{}
	for _, name := range slices.Sorted(maps.Keys(c.args)) {
		value := c.args[name]
		if at, isTime := value.(time.Time); isTime {
			value = model.Stamp(at)
		}
		list = append(list, fmt.Sprintf("%s => %v", name, value))
	}
	return c.function + "(" + strings.Join(list, ", ") + ")"
}

// play is the database and the model side by side.
type play struct {
	shop  *shop
	world *model.World
	tally *tally
}

// begin empties both sides.
func begin(s *shop, counts *tally) (*play, error) {
	p := &play{shop: s, world: newWorld(), tally: counts}
	return p, s.reset(p.world)
}

// step is the clock's smallest: no two calls happen at the same microsecond.
const step = time.Microsecond

// do makes one call on both sides and compares answers and books. It gives what both said.
func (p *play) do(c call) (string, error) {
	if c.function == "" {
		p.tally.commands++
		if c.until.After(p.world.Now) {
			p.world.Now = c.until
		}
		return "", nil
	}
	p.world.Now = p.world.Now.Add(step)
	want, refusal := p.world.Call(c.function, c.args)
	rows, err := p.shop.at(p.world.Now, c.function, c.args)
	if got := desk.Code(err); got != refusal {
		return "", fmt.Errorf("%s: the model says %q %v, the database %q: %s", c, refusal, want, got, fmt.Sprint(err))
	}
	p.tally.count(c.function, refusal, want)
	if refusal == "" {
		if err := p.compare(c, want, rows); err != nil {
			return "", err
		}
	}
	state, err := p.shop.state()
	if err != nil {
		return "", fmt.Errorf("read the books: %w", err)
	}
	if list := differences(p.world.State(), state); len(list) > 0 {
		return "", fmt.Errorf("%s: the books differ:\n  %s", c, strings.Join(list, "\n  "))
	}
	if refusal != "" {
		return refusal, nil
	}
	return fmt.Sprint(want), nil
}

func (p *play) compare(c call, want model.Answer, rows []desk.Row) error {
	if len(rows) != 1 {
		return fmt.Errorf("%s: %d rows: %v", c, len(rows), rows)
	}
	for _, column := range slices.Sorted(maps.Keys(want)) {
		if got := rows[0][column]; !p.shop.same(want[column], got) {
			return fmt.Errorf("%s: %s: the model says %v, the database %v", c, column, want[column], got)
		}
	}
	return nil
}

// run is a play whose commands rapid draws.
type run struct {
	*play
	rapid *rapid.T
	calls []call // all commands
	done  []call // those with an answer, for repeats
}

func (r *run) do(c call) {
	r.calls = append(r.calls, c)
	said, err := r.play.do(c)
	r.rapid.Logf("%s %s: %s", model.Stamp(r.world.Now), c, said)
	if err != nil {
		r.rapid.Fatalf("%v", err)
	}
	if c.function != "" && said[0] == 'm' {
		r.done = append(r.done, c)
	}
}

// property is what must hold for every sequence. failed gets the calls of a sequence for which it does not.
func property(s *shop, counts *tally, failed func([]call)) func(t *rapid.T) {
	return func(t *rapid.T) {
		p, err := begin(s, counts)
		if err != nil {
			t.Fatalf("%v", err)
		}
		r := &run{play: p, rapid: t}
		defer func() {
			if t.Failed() {
				failed(r.calls)
			}
		}()
		t.Repeat(map[string]func(*rapid.T){"command": func(t *rapid.T) {
			deck[toss(t, 12)%len(deck)](r)
		}})
		if err := s.balanced(); err != nil {
			t.Fatalf("%v", err)
		}
	}
}

// replay is the property for a given sequence: the same calls, without rapid.
func replay(s *shop, calls []call) error {
	p, err := begin(s, &tally{})
	if err != nil {
		return err
	}
	for _, c := range calls {
		if _, err := p.do(c); err != nil {
			return err
		}
	}
	return s.balanced()
}

var errGone = errors.New("the failure does not come again")

// minimal leaves calls out for as long as what is left still fails. What a call means does not depend on the others:
// ids are named by the calls that made them.
func minimal(s *shop, calls []call) ([]call, error) {
	err := replay(s, calls)
	if err == nil {
		return nil, errGone
	}
	for size := max(len(calls)/2, 1); ; size = max(size/2, 1) {
		isShorter := false
		for i := len(calls); i > 0; i -= size {
			fewer := slices.Delete(slices.Clone(calls), max(i-size, 0), i)
			if again := replay(s, fewer); again != nil {
				calls, err, isShorter = fewer, again, true
				i = min(i, len(calls)+size)
			}
		}
		if size == 1 && !isShorter {
			return calls, err
		}
	}
}

// explain says how to get a failure in as few commands as there can be.
func explain(s *shop, calls []call) string {
	calls, err := minimal(s, calls)
	var b strings.Builder
	fmt.Fprintf(&b, "in %d commands:", len(calls))
	for _, c := range calls {
		fmt.Fprintf(&b, "\n  %s", c)
	}
	fmt.Fprintf(&b, "\n%v", err)
	return b.String()
}

func TestTheDatabaseDoesWhatTheModelSays(t *testing.T) {
	counts := &tally{}
	s := open(t)
	started := time.Now()
	var failure []call
	t.Cleanup(func() {
		if failure != nil {
			t.Log(explain(s, failure))
		}
		t.Logf("%s\n%d commands in %s", counts, counts.commands, time.Since(started).Round(time.Second))
	})
	rapid.Check(t, property(s, counts, func(calls []call) { failure = calls }))
	require.Empty(t, counts.neverDone(), "functions that were declined every time")
	require.Greater(t, counts.share(), 0.3, "too many commands were declined")
}
