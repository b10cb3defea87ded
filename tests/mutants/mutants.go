// Package mutants holds broken versions of the PL/pgSQL functions, each with the test that has to fail with it. A suite
// that lets one live would let the same mistake through in earnest.
//
// A mutant is text: what of a function's released definition becomes what. It has to match exactly once, so that a function
// that has changed says so. With ATLAS_TEST_MUTANT=<name> the harness plants it in every test database that it makes;
// `make mutants` does so for all of them and prints who was caught by what.
package mutants

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Edit replaces a part of a function's definition, as pg_get_functiondef writes it. An empty Function is the mutant's.
type Edit struct{ Function, Right, Wrong string }

// Mutant is a mistake that somebody could make.
type Mutant struct {
	// Name says what is broken, for humans and for ATLAS_TEST_MUTANT.
	Name string
	// Function is the one that has the mistake, with its schema.
	Function string
	// Right becomes Wrong. More is what else has to change for the same mistake.
	Right, Wrong string
	More         []Edit
	// Without is SQL that takes away the second line of defence, which would save a mutant of the function alone: the
	// mutant is two mistakes.
	Without string
	// Package (a folder in tests) has the test that fails with the mutant, and in which database calls of the
	// functions are counted. Test is its name, with / before a subtest's.
	Package, Test string
	// Lives says why the test has to pass all the same.
	Lives string
	// Shrinks says that random sequences of calls find the mutant too, and that few calls of one remain.
	Shrinks bool
}

// Mistakes is 2 for a mutant that has to break the second line of defence, too.
func (m Mutant) Mistakes() int {
	two := slices.ContainsFunc(m.More, func(e Edit) bool { return e.Function != "" && e.Function != m.Function })
	if m.Without != "" || two {
		return 2
	}
	return 1
}

// All are the mutants, by the functions' schemas.
func All() []Mutant {
	return slices.Concat(account(), wallet(), promo(), purchases(), payments(), takingBack(), subscriptions(), referrals(),
		withdrawals(), queues(), leases(), updates(), broadcasts(), exports(), everybody(),
		confirmed(), ended())
}

// Find gives the mutant of that name.
func Find(name string) (Mutant, error) {
	all := All()
	i := slices.IndexFunc(all, func(m Mutant) bool { return m.Name == name })
	if i < 0 {
		return Mutant{}, fmt.Errorf("there is no mutant %q", name)
	}
	return all[i], nil
}

// Conn is a connection, or a transaction, of somebody who may replace functions.
type Conn interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Plant breaks a database. It fails where the function is not as it was when the mutant was written.
func (m Mutant) Plant(ctx context.Context, conn Conn) error {
	if m.Without != "" { // first: a function may stand on what it takes away
		if _, err := conn.Exec(ctx, m.Without); err != nil {
			return fmt.Errorf("mutant %s: %s: %w", m.Name, m.Without, err)
		}
	}
	for _, e := range m.edits() {
		if err := e.apply(ctx, conn); err != nil {
			return fmt.Errorf("mutant %s: %w", m.Name, err)
		}
	}
	return nil
}

// Functions are those that the mutant changes.
func (m Mutant) Functions() []string {
	names := []string{}
	for _, e := range m.edits() {
		if !slices.Contains(names, e.Function) {
			names = append(names, e.Function)
		}
	}
	return names
}

func (m Mutant) edits() []Edit {
	edits := append([]Edit{{Right: m.Right, Wrong: m.Wrong}}, m.More...)
	for i := range edits {
		if edits[i].Function == "" {
			edits[i].Function = m.Function
		}
	}
	return edits
}

func (e Edit) apply(ctx context.Context, conn Conn) error {
	var body string
	if err := conn.QueryRow(ctx, "select pg_get_functiondef($1::regproc)", e.Function).Scan(&body); err != nil {
		return fmt.Errorf("%s: %w", e.Function, err)
	}
	if n := strings.Count(body, e.Right); n != 1 {
		return fmt.Errorf("%s has changed: plant the mistake anew (%q is in it %d times, not once)", e.Function, e.Right, n)
	}
	if _, err := conn.Exec(ctx, strings.Replace(body, e.Right, e.Wrong, 1)); err != nil {
		return fmt.Errorf("%s: %w", e.Function, err)
	}
	return nil
}
