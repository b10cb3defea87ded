package processes_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/bot"
	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/tests/contract/desk"
)

const (
	presses = 200
	firstID = 10_001
)

// crowd is people with the money for a month and an opened purchase each, at the bot's first answer.
func (b *bundle) crowd(t *testing.T, count int) []func() error {
	t.Helper()
	require.NoError(t, b.people.LimitMessages(t.Context(), 100_000))
	all := make([]func() error, count)
	var greetings errgroup.Group
	greetings.SetLimit(8)
	for i := range all {
		id := firstID + i
		b.User(id)
		b.Credit(id, desk.Basic1)
		purchase := b.Open(id, "basic", 1, "k")
		greetings.Go(func() error {
			p, err := b.people.Ensure(t.Context(), botapi.Person{ID: int64(id), FirstName: "P", LanguageCode: "en"})
			if err != nil {
				return err
			}
			if _, err := p.Send(t.Context(), "/start"); err != nil {
				return err
			}
			message, err := p.WaitMessage(t.Context(), func(m botapi.ChatMessage) bool { return m.IsOutgoing })
			all[i] = func() error {
				_, err := p.Tap(t.Context(), person.Tap{MessageID: message.MessageID, Data: "pay:" + purchase, Forged: true})
				return err
			}
			return err
		})
	}
	require.NoError(t, greetings.Wait())
	return all
}

// TestT11ToldToStop tells a bot to stop while two hundred presses of Pay are in flight: some in its hands, waiting for the
// database, the others in its inbox. Whatever it is given, a moment or nothing, each is done once in the end, by this bot
// or by the next.
func TestT11ToldToStop(t *testing.T) {
	for name, c := range map[string]struct {
		isLetGo  bool // those in hand can go on before the grace is over
		isKilled bool // with SIGKILL when the grace is over
	}{
		"what is in hand is finished":   {isLetGo: true},
		"what hangs is given back":      {},
		"killed when the grace is over": {isKilled: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			first := b.start("bot")
			crowd := b.crowd(t, presses)
			b.until("all are greeted", "select count(*) = $1 from inbox.update where finished_at is not null", presses)
			release := b.begin("select from account.account where telegram_id >= $1 for update", firstID)
			var taps errgroup.Group
			taps.SetLimit(16)
			for _, tap := range crowd {
				taps.Go(tap)
			}
			require.NoError(t, taps.Wait())
			b.until("all are taken in", "select count(*) = $1 from inbox.update", 2*presses)
			b.until("all hands are full", "select count(*) >= $2 "+waiting, "pay_from_balance", bot.DefaultHands)

			told := time.Now()
			require.NoError(t, first.Process.Signal(syscall.SIGTERM))
			b.eventually("it no longer polls", func() bool { return first.said("no longer leading") })
			done := 0
			switch {
			case c.isLetGo:
				release()
				require.NoError(t, first.Wait(), "it ends well")
				require.Less(t, time.Since(told), bot.Grace, "and does not wait for its time to be over")
				done = b.count("inbox.update where finished_at is not null") - presses
				require.GreaterOrEqual(t, done, bot.DefaultHands, "what was in hand is done")
			case c.isKilled:
				time.Sleep(time.Until(told.Add(bot.Grace)))
				_ = first.Process.Kill()
				_ = first.Wait()
			default:
				require.NoError(t, first.Wait(), "it ends well")
				require.GreaterOrEqual(t, time.Since(told), bot.Grace, "it gives them their time")
				require.Zero(t, b.count("ledger.transfer where reason = 'purchase'"), "nothing half done")
			}
			if !c.isKilled {
				require.Zero(t, b.count("inbox.update where finished_at is null and leased_until is not null"), "the rest is given back")
				require.False(t, first.said("ended by force"))
			}
			require.Equal(t, presses-done, b.count("inbox.update where finished_at is null"), "and waits")
			require.Equal(t, done, b.count("ledger.transfer where reason = 'purchase'"))

			release()
			if c.isKilled {
				b.owner.Later("31 seconds") // its leases are over
			}
			second := b.start("bot")
			b.until("all is done", "select count(*) = $1 from inbox.update where finished_at is not null", 2*presses)
			second.end()
			require.Equal(t, presses, b.count("billing.purchase where status = 'paid'"))
			require.Equal(t, presses, b.count("ledger.transfer where reason = 'purchase'"), "once each")
			require.Equal(t, presses, b.count("outbox.task where kind = 'provision'"))
			require.Zero(t, b.count("wallet.wallet where telegram_id >= $1 and available_kopecks <> 0", firstID))
			require.Zero(t, b.count("ops.dead"))
		})
	}
}

// TestT11SecondSignal: who cannot wait tells it twice.
func TestT11SecondSignal(t *testing.T) {
	for _, name := range []string{"bot", "worker"} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.Buy(anna, "basic", 1, "k")
			b.onlyJob("vpn.provision")
			b.node.hold = make(chan struct{})
			p := b.start(name)
			ready := map[string]func() bool{
				"bot":    func() bool { return p.said(`"msg":"leading"`) },
				"worker": func() bool { return len(b.node.added()) == 1 },
			}[name]
			b.eventually("it works", ready)
			if name == "bot" {
				release := b.begin("select from account.account where telegram_id = $1 for update", anna)
				defer release()
				who, err := b.people.Ensure(t.Context(), botapi.Person{ID: anna, FirstName: "Anna", LanguageCode: "en"})
				require.NoError(t, err)
				_, err = who.Send(t.Context(), "/start")
				require.NoError(t, err)
				b.until("it waits", "select exists (select "+waiting+")", "register")
			}
			require.NoError(t, p.Process.Signal(syscall.SIGINT))
			b.eventually("it was told", func() bool { return p.said("told to stop") })
			told := time.Now()
			require.NoError(t, p.Process.Signal(syscall.SIGTERM))
			require.ErrorContains(t, p.Wait(), "signal: terminated")
			require.Less(t, time.Since(told), bot.Grace/2)
		})
	}
}

// TestT11WorkerToldToStop tells a worker to stop while it makes keys. What the node answers in time is done; what it does
// not is given back, and the next worker makes those keys.
func TestT11WorkerToldToStop(t *testing.T) {
	const buyers = 10
	for name, isLetGo := range map[string]bool{"what is in hand is finished": true, "what hangs is cancelled": false} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			b.onlyJob("vpn.provision")
			for id := firstID; id < firstID+buyers; id++ {
				b.User(id)
				b.Credit(id, desk.Basic1)
				b.Buy(id, "basic", 1, "k")
			}
			b.node.hold = make(chan struct{})
			first := b.start("worker")
			b.eventually("the node is asked", func() bool { return len(b.node.added()) > 0 })
			require.NoError(t, first.Process.Signal(syscall.SIGTERM))
			b.eventually("it was told", func() bool { return first.said("told to stop") })
			letGo := func() {
				b.node.mu.Lock()
				defer b.node.mu.Unlock()
				close(b.node.hold)
				b.node.hold = nil
			}
			if isLetGo {
				letGo()
			}
			require.NoError(t, first.Wait(), "it ends well")
			require.Zero(t, b.count("outbox.task where kind = 'provision' and finished_at is null and leased_until > core.now()"),
				"the rest is given back")
			asked, done := len(b.node.added()), b.count("outbox.task where kind = 'provision' and outcome = 'done'")
			if isLetGo {
				require.Equal(t, asked, done, "whatever the node was asked is done")
			} else {
				letGo()
				require.Zero(t, done)
			}
			second := b.start("worker")
			b.until("every key is there", "select count(*) = $1 from outbox.task where kind = 'provision' and outcome = 'done'", buyers)
			second.end()
			for id := firstID; id < firstID+buyers; id++ {
				require.Equal(t, 1, b.count("outbox.task where telegram_id = $1 and name = 'key_ready'", id), fmt.Sprint(id))
			}
			if isLetGo {
				require.Len(t, b.node.added(), buyers, "nothing is asked twice")
			}
		})
	}
}
