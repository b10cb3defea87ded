package isolation_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func pairFile(s step, extension string) string {
	return filepath.Join("pairs", strings.ReplaceAll(s.name, " ", "_")+extension)
}

// play is how a step met all the others, and how it goes without concurrency.
type play struct {
	pairs     []pair
	sequences []sequence
	err       error
}

func (s *stage) playPairs(first step, isInSequence bool) (p play) {
	out, err := s.play(pairSpec(first))
	if err != nil {
		return play{err: err}
	}
	if p.pairs, p.err = readPairs(out); p.err != nil || !isInSequence {
		return p
	}
	p.sequences, p.err = s.inSequence(first)
	return p
}

// TestPairs plays every pair of calls that can meet on one user. What comes of each is as checked in, who waits is who
// must by the headers, and the answers and books are those of one call after the other. The last needs to be seen once for
// each output: when it is written (-update), or with -long; otherwise it is seen for a part.
func TestPairs(t *testing.T) {
	t.Parallel()
	plays := make([]play, len(steps))
	isWhole := *isUpdate || *isLong
	done := playAll(t, len(steps), func(s *stage, i int) { plays[i] = s.playPairs(steps[i], isWhole || i%part == 0) })
	for i, first := range steps {
		t.Run(first.name, func(t *testing.T) {
			<-done[i]
			require.NoError(t, plays[i].err)
			require.Len(t, plays[i].pairs, len(steps))
			for k, second := range steps {
				p := plays[i].pairs[k]
				require.Equal(t, second.name, p.second)
				wait := mustWait(first, second, p.scene)
				for _, m := range []meeting{p.afterRollback, p.afterEnd} {
					if m.isWaiting != wait {
						t.Errorf("%s, %s: waits: %v, but must: %v", first.name, p.second, m.isWaiting, wait)
					}
				}
				if plays[i].sequences == nil {
					continue
				}
				if complaint := p.asInSequence(second, plays[i].sequences[k]); complaint != "" {
					t.Errorf("%s, %s: %s", first.name, p.second, complaint)
				}
			}
			text := pairsText(first, plays[i].pairs)
			require.NotContains(t, text, "deadlock")
			require.NotContains(t, text, "WRONG", "ops.reconcile() has found something")
			sameAs(t, pairFile(first, ".spec"), pairSpec(first))
			sameAs(t, pairFile(first, ".out"), text)
		})
	}
}

// nothing is what a batch answers that found nobody to work on.
var nothing = regexp.MustCompile(`^\w+ 0(, \w+ 0)*$`)

// asInSequence compares a pair with the same calls one after the other. A batch may have passed the user by.
func (p pair) asInSequence(second step, s sequence) string {
	isSkipped := strings.Contains(headers()[second.function()], "skip locked") && !p.afterEnd.isWaiting
	switch {
	case p.first != s.first.answer:
		return "first: " + p.first + "; in sequence: " + s.first.answer
	case isSkipped && nothing.MatchString(p.afterRollback.answer) && nothing.MatchString(p.afterEnd.answer):
		if p.afterEnd.books != s.first.books {
			return "passed by, but the books are " + p.afterEnd.books + "; without it: " + s.first.books
		}
		return ""
	}
	if p.afterRollback.answer != s.alone.answer ||
		p.afterRollback.books != "" && p.afterRollback.books != s.alone.books {
		return "rollback: " + p.afterRollback.String() + "; alone: " + s.alone.String()
	}
	if isSkipped && p.afterEnd.answer == s.alone.answer && p.afterEnd.books == s.afterFirst.books {
		return "" // it waits for nobody: it may as well have come first, and the books are the same
	}
	if p.afterEnd.answer != s.afterFirst.answer || p.afterEnd.books != s.afterFirst.books {
		return "commit: " + p.afterEnd.String() + "; in sequence: " + s.afterFirst.String()
	}
	return ""
}
