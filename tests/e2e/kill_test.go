package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/sandbox/botapi"
)

// The ten buyers of a group: some are through when the process dies, some are in the middle, some press Pay while it is
// away.
const (
	through  = 4
	inMiddle = 4
	late     = 2
	buyers   = through + inMiddle + late
)

// Half of those in the middle are in a call of Telegram that takes longer than the process lives, and which Telegram
// carries out; the others are told to wait, so that what the process wanted to say is lost with it.
const (
	stuckMS     = 20_000
	waitSeconds = 5
)

// killing is one way to kill a part of the system in the middle of purchases.
type killing struct {
	victim string
	pid    func() int
	// stuckIn is the method of Telegram in which those in the middle are when the process dies.
	stuckIn string
	// isThrough waits for the acknowledgement that must be true afterwards.
	isThrough func(c *customer) error
}

// TestKillNine kills, without warning, what the system is made of, each in the middle of ten purchases. Whatever was
// acknowledged is there afterwards, everything is there once, and every key arrives.
func TestKillNine(t *testing.T) {
	b := setup(t)
	seesPaid := func(c *customer) error { return c.sees("Basic, 1 month: paid").err }
	killings := []killing{
		{"bot", func() int { return b.sandbox.pid("bot") }, "editMessageText", seesPaid},
		{"worker", func() int { return b.sandbox.pid("worker") }, "sendPhoto", func(c *customer) error {
			c.waitKey()
			return c.err
		}},
		{"postmaster", b.sandbox.postmaster, "editMessageText", seesPaid},
	}
	var groups [][]*customer
	for _, k := range killings {
		groups = append(groups, b.crowd("Buyer at the "+k.victim, buyers))
	}
	for i, k := range killings {
		b.killInTheMiddle(groups[i], k)
	}
	for i, k := range killings {
		t.Run(k.victim, func(t *testing.T) {
			b := b.in(t)
			for _, buyer := range groups[i] {
				require.NoError(t, buyer.sees("Basic, 1 month: paid").err)
				b.keyArrives(buyer)
				b.paidOnce(buyer)
				require.LessOrEqual(t, photos(t, buyer), 2, "a key may be told twice, not more")
			}
		})
	}
	b.reconciled()
}

// killInTheMiddle lets ten people press Pay and kills the process when some are through and some are not.
func (b *bundle) killInTheMiddle(group []*customer, k killing) {
	b.Helper()
	first, middle, last := group[:through], group[through:through+inMiddle], group[through+inMiddle:]
	// Nobody waits for the answer to the press: it may be lost with the bot.
	pay := func(c *customer) error {
		message, data := c.payButton()
		return c.then("presses Pay", func() error { return c.tapOnce(message, data) }).err
	}
	all(b, first, pay)
	all(b, first, k.isThrough)
	for i, buyer := range middle {
		stuck := botapi.Fault{Method: k.stuckIn, ChatID: buyer.ID, Action: botapi.FaultDelay, DelayMS: stuckMS}
		if i%2 == 1 {
			stuck = botapi.Fault{Method: k.stuckIn, ChatID: buyer.ID, Action: botapi.FaultError, RetryAfter: waitSeconds}
		}
		require.NoError(b, b.people.AddFault(b.ctx, stuck))
	}
	all(b, middle, pay)
	b.eventually("those in the middle are there", func() error {
		left, err := get(b.ctx, b.sandbox.HTTP.Chat+"/api/faults")
		if err == nil && strings.TrimSpace(left) != "[]" {
			err = fmt.Errorf("not yet called: %s", left)
		}
		return err
	})
	var presses errgroup.Group
	for _, buyer := range last {
		presses.Go(func() error { return pay(buyer) })
	}
	victim := k.pid()
	require.True(b, isRunning(victim), k.victim)
	require.NoError(b, syscall.Kill(victim, syscall.SIGKILL))
	require.NoError(b, presses.Wait())
	b.eventually("another "+k.victim+" runs", func() error {
		if now := k.pid(); now == victim || !isRunning(now) {
			return fmt.Errorf("process %d, killed was %d", now, victim)
		}
		return nil
	})
	b.forgetConnections()
}

func photos(t *testing.T, c *customer) int {
	t.Helper()
	view, err := c.Chat(c.ctx)
	require.NoError(t, err)
	count := 0
	for _, m := range view.Messages {
		if len(m.Photo) > 0 {
			count++
		}
	}
	return count
}
