package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/internal/sandbox/process"
)

const (
	// taps is how often the impatient press at once.
	taps = 50
	// perTap is how many other people write between two taps. A bot that is done with a press takes the oldest update that
	// waits. With nobody else about that is the chat's next press, so that one bot keeps them all to itself. Here it is
	// somebody else's message, whose answer has to wait for Telegram's limits; so the hands of both bots are full, and the
	// next press goes to whichever has a free one first.
	perTap = 5
	// atOnce is how many of all these are on their way to Telegram at a time.
	atOnce = 32
)

// helper is a bot that works beside another one.
type helper struct {
	address       string
	pid           int
	before        map[string]float64 // what it had worked off when the test began
	pressed, rest float64            // since then: presses of the button, and other people's messages
}

// TestA1DoubleTapTwoBots is scenario A1: one Pay button, tapped fifty times at once, with two bots at work on it.
func TestA1DoubleTapTwoBots(t *testing.T) {
	b := setup(t)
	second, pid := b.secondBot()
	bots := []*helper{{address: b.sandbox.HTTP.Bot, pid: b.sandbox.pid("bot")}, {address: second, pid: pid}}
	for _, bot := range bots {
		bot.before = map[string]float64{"pay": b.handled(bot.address, "pay"), "/help": b.handled(bot.address, "/help")}
	}
	anna := b.rich("Anna")
	message, data := anna.choose().payButton()
	require.NoError(t, anna.err)
	crowd := make([]*customer, taps*perTap)
	for i := range crowd {
		crowd[i] = b.newCustomer(fmt.Sprintf("Passer-by %d", i), "en")
	}

	answers := map[string]int{}
	tap := func(round int, working ...*helper) {
		presses := tapAtOnce(t, anna, message, data, crowd)
		b.eventually("everything is handled", func() error { return b.workedOff(round, bots, working) })
		b.paidOnce(anna)
		for _, press := range presses {
			answer, err := anna.Answer(anna.ctx, press)
			require.NoError(t, err)
			require.True(t, answer.IsAnswered)
			answers[answer.Text]++
		}
	}
	tap(1, bots...)
	t.Logf("the bots had %v and %v presses", bots[0].pressed, bots[1].pressed)
	rounds := 1
	// Nearly always both had some. Which one takes a press is a matter of chance, though: who had none gets them now, while
	// the other one, with nothing in hand, is paused.
	for i, bot := range bots {
		if bot.pressed == 0 {
			rounds++
			other := bots[1-i]
			require.NoError(t, process.Freeze(other.pid))
			t.Cleanup(func() { require.NoError(t, process.Thaw(other.pid)) })
			tap(rounds, bot)
			require.NoError(t, process.Thaw(other.pid))
		}
		require.Positive(t, bot.pressed, "one of the bots never had a press")
	}
	require.Equal(t, map[string]int{"": 1, "Paid already": rounds*taps - 1}, answers, "one press paid, all others were told so")
	require.NoError(t, anna.sees("Basic, 1 month: paid").err)
	b.keyArrives(anna)
	b.reconciled()
}

// workedOff asks those of the bots that work what they have handled, and says what is missing.
func (b *bundle) workedOff(rounds int, bots, working []*helper) error {
	b.Helper()
	for _, bot := range working {
		bot.pressed = b.handled(bot.address, "pay") - bot.before["pay"]
		bot.rest = b.handled(bot.address, "/help") - bot.before["/help"]
	}
	pressed, rest := bots[0].pressed+bots[1].pressed, bots[0].rest+bots[1].rest
	if wanted := float64(rounds * taps); pressed < wanted || rest < wanted*perTap {
		return fmt.Errorf("%v of %v presses, %v of %v messages", pressed, wanted, rest, wanted*perTap)
	}
	return nil
}

// tapAtOnce presses one button many times while the crowd writes, and gives the numbers of the presses. They are forged
// only in so far as the button may be gone when the last of them arrives.
func tapAtOnce(t *testing.T, c *customer, message int, data string, crowd []*customer) []string {
	t.Helper()
	ids := make([]string, taps)
	var acts []func() error
	for i := range ids {
		acts = append(acts, func() (err error) {
			ids[i], err = c.Tap(c.ctx, person.Tap{MessageID: message, Data: data, Forged: true})
			return err
		})
		for n := range perTap {
			other := crowd[i*perTap+n]
			acts = append(acts, func() error {
				_, err := other.Send(other.ctx, "/help")
				return err
			})
		}
	}
	var together errgroup.Group
	together.SetLimit(atOnce)
	for _, act := range acts {
		together.Go(act)
	}
	require.NoError(t, together.Wait())
	return ids
}
