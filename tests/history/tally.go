package history

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"atlas-secure/internal/atlas"
)

// Tally counts what came of the operations of a function.
type Tally struct {
	Done     int
	Declined map[string]int // by SQLSTATE
	Open     int
	Attempts int
	Unknown  int // attempts
}

// Tallies counts by function.
func Tallies(ops []Op) map[string]*Tally {
	tallies := map[string]*Tally{}
	for i := range ops {
		op := &ops[i]
		t := tallies[op.Function]
		if t == nil {
			t = &Tally{Declined: map[string]int{}}
			tallies[op.Function] = t
		}
		t.Attempts += op.Attempts()
		t.Unknown += op.Unknown
		switch {
		case op.IsOpen:
			t.Open++
		case op.Code != "":
			t.Declined[op.Code]++
		default:
			t.Done++
		}
	}
	return tallies
}

// Summary is the tallies as a table, with what was tried again and why, and the operations per second.
func Summary(ops []Op) string {
	var b strings.Builder
	var end time.Duration
	retried := map[string]int{}
	for i := range ops {
		end = max(end, ops[i].End)
		for _, why := range ops[i].Retried {
			retried[why]++
		}
	}
	fmt.Fprintf(&b, "%d operations in %s", len(ops), end.Round(time.Millisecond))
	if end > 0 {
		fmt.Fprintf(&b, ", %.0f/s", float64(len(ops))/end.Seconds())
	}
	fmt.Fprintf(&b, "; tried again: %s\n", counts(retried))
	for _, function := range slices.Sorted(maps.Keys(Tallies(ops))) {
		t := Tallies(ops)[function]
		fmt.Fprintf(&b, "  %-32s %6d done  %6d attempts  %5d unknown  declined: %s", function, t.Done, t.Attempts,
			t.Unknown, counts(t.Declined))
		if t.Open > 0 {
			fmt.Fprintf(&b, "  open: %d", t.Open)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func counts(m map[string]int) string {
	if len(m) == 0 {
		return "none"
	}
	parts := make([]string, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", key, m[key]))
	}
	return strings.Join(parts, ", ")
}

// enough is how often a function must have been called before its always being declined proves that nothing was tested.
const enough = 30

// SomeDone demands that something was done at all, and by every function that was called often.
func SomeDone(ops []Op) []Violation {
	if len(ops) == 0 {
		return []Violation{{"some_done", "the run", "no operation at all"}}
	}
	var violations []Violation
	for function, t := range Tallies(ops) {
		declined := 0
		for _, n := range t.Declined {
			declined += n
		}
		if t.Done == 0 && (declined >= enough || t.Open >= enough) {
			violations = append(violations, Violation{"some_done", function,
				fmt.Sprintf("never done: declined %s, open %d", counts(t.Declined), t.Open)})
		}
	}
	return violations
}

// mistakes are refusals that say that the caller did something wrong, which the load does not.
var mistakes = []string{"22023", "ID001", "OP001", "OP002", "PY001", "US001", "US003"}

// Expected demands that every refusal is one that the contract has for rightful callers.
func Expected(ops []Op) []Violation {
	var violations []Violation
	for i := range ops {
		op := &ops[i]
		if op.Code != "" && (!atlas.IsRefusal(op.Code) || slices.Contains(mistakes, op.Code)) {
			violations = append(violations, Violation{"expected", op.Function, op.String()})
		}
	}
	return violations
}

// NoDeadlock demands that no attempt met a deadlock.
func NoDeadlock(ops []Op) []Violation {
	var violations []Violation
	for i := range ops {
		if slices.Contains(ops[i].Retried, "40P01") {
			violations = append(violations, Violation{"no_deadlock", ops[i].Function, ops[i].String()})
		}
	}
	return violations
}

// AllKnown demands that every operation got its definite outcome.
func AllKnown(ops []Op) []Violation {
	var violations []Violation
	for i := range ops {
		if ops[i].IsOpen {
			violations = append(violations, Violation{"all_known", ops[i].Function, ops[i].String()})
		}
	}
	return violations
}
