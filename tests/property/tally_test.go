package property_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"atlas-secure/tests/property/model"
)

// tally counts what came of the commands: a run that declined everything proves nothing.
type tally struct {
	commands int
	lines    map[string]*line
}

type line struct {
	done, idle, replayed int // idle: a job that found nothing to do
	declined             map[string]int
}

func (t *tally) count(function, refusal string, answer model.Answer) {
	t.commands++
	if t.lines == nil {
		t.lines = map[string]*line{}
	}
	l := t.lines[function]
	if l == nil {
		l = &line{declined: map[string]int{}}
		t.lines[function] = l
	}
	switch {
	case refusal != "":
		l.declined[refusal]++
	case answer["is_replay"] == true:
		l.replayed++
	case isIdle(function, answer):
		l.idle++
	default:
		l.done++
	}
}

func isIdle(function string, answer model.Answer) bool {
	items := 0
	for _, value := range answer {
		n, _ := value.(int)
		items += n
	}
	return strings.HasSuffix(function, "_due") && items == 0
}

// neverDone are the functions of the model that no command got done.
func (t *tally) neverDone() []string {
	list := []string{}
	for _, function := range model.Functions() {
		if l := t.lines[function]; l == nil || l.done == 0 {
			list = append(list, function)
		}
	}
	slices.Sort(list)
	return list
}

// share is the part of the calls that were done for the first time.
func (t *tally) share() float64 {
	done, all := 0, 0
	for _, l := range t.lines {
		done += l.done
		all += l.done + l.idle + l.replayed
		for _, n := range l.declined {
			all += n
		}
	}
	return float64(done) / float64(max(all, 1))
}

func (t *tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-32s %7s %7s %8s  %s", "command", "done", "idle", "replayed", "declined")
	for _, function := range slices.Sorted(maps.Keys(t.lines)) {
		l := t.lines[function]
		fmt.Fprintf(&b, "\n%-32s %7d %7d %8d ", function, l.done, l.idle, l.replayed)
		for _, refusal := range slices.Sorted(maps.Keys(l.declined)) {
			fmt.Fprintf(&b, " %s:%d", refusal, l.declined[refusal])
		}
	}
	return b.String()
}
