package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// transition is how a database gets from one set of functions and views to another: what is dropped
// first, then what is made, each in an order that PostgreSQL accepts.
type transition struct {
	drops   []object
	creates []object
	// gone are the keys that the second set no longer has.
	gone []string
}

func (t transition) isEmpty() bool { return len(t.drops) == 0 && len(t.creates) == 0 }

// newTransition compares two sets. What only has a new body is replaced in place; what has another
// shape, every changed view, and everything bound early to one of these is dropped and made again.
func newTransition(from, to objects) transition {
	dropped := map[string]bool{}
	changed := map[string]bool{}
	var t transition
	for key, old := range from {
		now, kept := to[key]
		switch {
		case !kept:
			t.gone = append(t.gone, key)
			dropped[key] = true
		case now.text != old.text:
			changed[key] = true
			dropped[key] = old.kind == kindView || now.shape() != old.shape()
		}
	}
	for key := range to {
		if _, had := from[key]; !had {
			changed[key] = true
		}
	}
	spread(from, dropped)
	slices.Sort(t.gone)
	for _, o := range creationOrder(from) {
		if dropped[o.key()] {
			t.drops = append(t.drops, o)
		}
	}
	slices.Reverse(t.drops)
	for _, o := range creationOrder(to) {
		if changed[o.key()] || dropped[o.key()] {
			t.creates = append(t.creates, o)
		}
	}
	return t
}

// spread marks what is bound early to something marked, until nothing more is found.
func spread(all objects, marked map[string]bool) {
	for again := true; again; {
		again = false
		for key, o := range all {
			if marked[key] || !o.isEarlyBound() {
				continue
			}
			for _, other := range all {
				if marked[other.key()] && o.mentions(other) {
					marked[key], again = true, true
					break
				}
			}
		}
	}
}

// creationOrder lists functions before views and helpers before the rest, and whatever is bound early
// after what it names.
func creationOrder(all objects) []object {
	base := make([]object, 0, len(all))
	for _, o := range all {
		base = append(base, o)
	}
	rank := func(o object) int {
		switch {
		case o.kind == kindView:
			return 2
		case o.isHelper():
			return 0
		default:
			return 1
		}
	}
	slices.SortFunc(base, func(a, b object) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.key(), b.key()))
	})
	order := make([]object, 0, len(all))
	seen := map[string]bool{}
	var visit func(o object)
	visit = func(o object) {
		if seen[o.key()] {
			return
		}
		seen[o.key()] = true
		if o.isEarlyBound() {
			for _, other := range base {
				if other.key() != o.key() && o.mentions(other) {
					visit(other)
				}
			}
		}
		order = append(order, o)
	}
	for _, o := range base {
		visit(o)
	}
	return order
}

const (
	fileMark = "-- file: "
	goneMark = "-- gone: "
)

// sql writes the transition as one half of a goose migration.
func (t transition) sql() string {
	var b strings.Builder
	for _, key := range t.gone {
		fmt.Fprintf(&b, "%s%s\n", goneMark, key)
	}
	for _, o := range t.drops {
		for _, trigger := range triggerMade.FindAllStringSubmatch(code(o.text), -1) {
			fmt.Fprintf(&b, "drop trigger %s on %s;\n", trigger[1], trigger[2])
		}
		fmt.Fprintf(&b, "drop %s %s;\n", o.kind, o.qualified())
	}
	if len(t.creates) > 0 {
		b.WriteString("\n-- Bodies may name what is made further down.\nset local check_function_bodies = off;\n")
	}
	for _, o := range t.creates {
		fmt.Fprintf(&b, "\n%s%s\n-- +goose StatementBegin\n%s-- +goose StatementEnd\n", fileMark, o.key(), o.text)
	}
	return b.String()
}
