package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/sandbox/botapi/person"
)

const (
	// taps is how often the impatient press at once.
	taps = 50
	// maxRounds bounds how often they do so again until both bots have had some of the presses. The bot that takes the
	// updates in is quick to work them off, and the other one looks for work four times a second.
	maxRounds = 100
)

// TestA1DoubleTapTwoBots is scenario A1: one Pay button, tapped fifty times at once, with two bots at work on it.
func TestA1DoubleTapTwoBots(t *testing.T) {
	b := setup(t)
	bots := []string{b.sandbox.HTTP.Bot, b.secondBot()}
	anna := b.rich("Anna")
	message, data := anna.choose().payButton()
	require.NoError(t, anna.err)

	// Which bot takes a press is a matter of chance, so there are more presses until both have had some.
	answers := map[string]int{}
	before, rounds := []float64{b.handled(bots[0], "pay"), b.handled(bots[1], "pay")}, 0
	for isShared := false; !isShared; rounds++ {
		require.Less(t, rounds, maxRounds, "one of the bots never had a press")
		presses := tapAtOnce(t, anna, message, data)
		b.eventually("all presses are handled", func() error {
			first, second := b.handled(bots[0], "pay")-before[0], b.handled(bots[1], "pay")-before[1]
			isShared = first > 0 && second > 0
			if wanted := float64((rounds + 1) * taps); first+second < wanted {
				return fmt.Errorf("%v and %v of %v", first, second, wanted)
			}
			return nil
		})
		b.paidOnce(anna)
		for _, press := range presses {
			answer, err := anna.Answer(anna.ctx, press)
			require.NoError(t, err)
			require.True(t, answer.IsAnswered)
			answers[answer.Text]++
		}
	}
	require.Equal(t, map[string]int{"": 1, "Paid already": rounds*taps - 1}, answers, "one press paid, all others were told so")
	require.NoError(t, anna.sees("Basic, 1 month: paid").err)
	b.keyArrives(anna)
	b.reconciled()
}

// tapAtOnce presses one button many times and gives the numbers of the presses. They are forged only in so far as the
// button may be gone when the last of them arrives.
func tapAtOnce(t *testing.T, c *customer, message int, data string) []string {
	t.Helper()
	ids := make([]string, taps)
	var presses errgroup.Group
	for i := range ids {
		presses.Go(func() (err error) {
			ids[i], err = c.Tap(c.ctx, person.Tap{MessageID: message, Data: data, Forged: true})
			return err
		})
	}
	require.NoError(t, presses.Wait())
	return ids
}
