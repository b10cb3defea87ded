package property_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// mutants are the released functions with one mistake each. The property has to find it, and in few commands.
var mutants = map[string]struct{ function, right, wrong string }{
	"a balance that nobody checks": {"ledger._post", "and w.available_kopecks + v_available_change >= 0", ""},
	"a promo code without its limit": {"promo._take",
		"v_use_no := nextval('promo.use_no') % v_max_uses + 1;", "v_use_no := nextval('promo.use_no');"},
	"a refund that forgets the cashback": {"billing._take_back",
		"a.referrer_id is not null and u.price_kopecks > 0", "false"},
	"a charge that is booked as often as it comes": {"billing._settle",
		"if not found then", "if false then"},
	"a key that fits any arguments": {"wallet._adjust", "if (v_first.amount_kopecks, v_first.actor_id, v_first.note)",
		"if (v_first.actor_id, v_first.note, null) is null and (v_first.amount_kopecks, v_first.actor_id, v_first.note)"},
	"one admin where two are needed": {"withdrawal.approve", "then 2 else 1 end", "then 1 else 1 end"},
}

const few = 8 // what it takes to get a renewal refunded

func TestAPlantedMistakeIsFoundInFewCommands(t *testing.T) {
	for name, mutant := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			s.harness.BooksAreWrong("a mistake is planted in " + mutant.function)
			s.mutate(t, mutant.function, mutant.right, mutant.wrong)
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

// mutate replaces a part of a function's body.
func (s *shop) mutate(t *testing.T, function, right, wrong string) {
	t.Helper()
	var body string
	require.NoError(t, s.conn.QueryRow(context.Background(),
		"select pg_get_functiondef($1::regproc)", function).Scan(&body))
	require.Equal(t, 1, strings.Count(body, right), "%s has changed: plant the mistake anew", function)
	s.exec(t, strings.Replace(body, right, wrong, 1))
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
