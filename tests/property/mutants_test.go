package property_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"atlas-secure/tests/mutants"
)

const few = 8 // what it takes to get a renewal refunded

func TestAPlantedMistakeIsFoundInFewCommands(t *testing.T) {
	for _, mutant := range mutants.All() {
		if !mutant.Shrinks {
			continue
		}
		t.Run(mutant.Name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			s.harness.BooksAreWrong("a mistake is planted in " + mutant.Function)
			require.NoError(t, mutant.Plant(context.Background(), s.conn))
			var failure []call
			said := inVain(t, func(tb rapid.TB) {
				rapid.Check(tb, property(s, &tally{}, func(calls []call) { failure = calls }))
			})
			require.NotEmpty(t, said, "the property holds in spite of it")
			found, err := minimal(s, failure)
			require.Error(t, err)
			require.NotErrorIs(t, err, errGone, said)
			require.LessOrEqual(t, len(found), few, "%v", found)
			t.Log(explain(s, found))
		})
	}
}

// inVain runs a check that should fail, and gives what it says then.
func inVain(t *testing.T, check func(rapid.TB)) string {
	t.Helper()
	r := &recorder{name: t.Name()}
	done := make(chan any)
	go func() {
		defer func() { done <- recover() }()
		check(r)
	}()
	if p := <-done; p != nil && p != (failedNow{}) {
		panic(p)
	}
	return r.said
}

// recorder is a test that may fail without anybody minding.
type recorder struct {
	rapid.TB

	name   string
	failed bool
	said   string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Name() string              { return r.name }
func (r *recorder) Logf(string, ...any)       {}
func (r *recorder) Log(...any)                {}
func (r *recorder) Errorf(f string, a ...any) { r.failed, r.said = true, fmt.Sprintf(f, a...) }
func (r *recorder) Error(...any)              { r.failed = true }
func (r *recorder) Fail()                     { r.failed = true }
func (r *recorder) Failed() bool              { return r.failed }
func (r *recorder) FailNow()                  { r.failed = true; panic(failedNow{}) }
func (r *recorder) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

type failedNow struct{}
