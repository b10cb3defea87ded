package isolation_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// mutate replaces what matches in the body of a function.
func (s *stage) mutate(t *testing.T, function, pattern, replacement string) {
	t.Helper()
	source, err := s.say("select pg_get_functiondef('" + function + "'::regproc) as line")
	require.NoError(t, err)
	mutant := regexp.MustCompile(pattern).ReplaceAllString(source, replacement)
	require.NotEqual(t, source, mutant, "%s has changed", function)
	s.exec(t, mutant)
}

// TestWithoutALockOutputsDiffer: the suite sees that users are not locked at all, in each of the functions that matter most.
func TestWithoutALockOutputsDiffer(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.harness.BooksAreWrong("users are not locked")
	s.mutate(t, "account._lock", `(?s)perform pg_advisory_xact_lock\([^;]*;|for no key update`, "")
	for _, name := range []string{"billing.pay_from_balance", "withdrawal.cancel"} {
		first := stepOf(t, name)
		p := s.playPairs(first, false)
		require.NoError(t, p.err)
		require.NotEqual(t, readFile(t, pairFile(first, ".out")), pairsText(first, p.pairs))

		i := slices.IndexFunc(p.pairs, func(p pair) bool { return p.second == name })
		require.False(t, p.pairs[i].afterEnd.isWaiting && p.pairs[i].afterEnd.answer == p.pairs[i].afterRollback.answer,
			"%s twice: %s", name, p.pairs[i].afterEnd)
	}
}

// TestTheRowLockIsEnough: with the advisory lock taken out, everything is as it was.
func TestTheRowLockIsEnough(t *testing.T) {
	t.Parallel()
	names := []string{"billing.pay_from_balance", "subscription.renew_due"}
	if *isLong {
		names = nil
		for _, s := range steps {
			names = append(names, s.name)
		}
	}
	s := newStage(t)
	s.mutate(t, "account._lock", `perform pg_advisory_xact_lock\([^;]*;`, "")
	for _, name := range names {
		first := stepOf(t, name)
		p := s.playPairs(first, false)
		require.NoError(t, p.err)
		require.Equal(t, readFile(t, pairFile(first, ".out")), pairsText(first, p.pairs))
	}
}

func stepOf(t *testing.T, name string) step {
	t.Helper()
	i := slices.IndexFunc(steps, func(s step) bool { return s.name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return steps[i]
}
