package race_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

const workers = 8

// crew lets workers claim and finish until everything is done, and watches that nothing is handed out twice and that
// each owner's things come one at a time, in order.
type crew struct {
	*bundle
	mu     sync.Mutex
	hand   map[int]int // by owner: what a worker has of it now
	last   map[int]int // by owner: what was finished last
	total  int
	faults []string
}

func (c *crew) took(owner, thing int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now, ok := c.hand[owner]; ok {
		c.faults = append(c.faults, fmt.Sprintf("%d's %d is handed out while %d is in hand", owner, thing, now))
	}
	if thing <= c.last[owner] {
		c.faults = append(c.faults, fmt.Sprintf("%d's %d comes after %d", owner, thing, c.last[owner]))
	}
	c.hand[owner] = thing
}

func (c *crew) finishing(owner, thing int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.hand, owner)
	c.last[owner] = thing
	c.total++
}

func (c *crew) done() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// work runs the crew until want things are finished.
func (b *bundle) work(want int, claim, owner, thing string, finish func(d *desk.Desk, row Row) error) {
	b.Helper()
	c := &crew{bundle: b, hand: map[int]int{}, last: map[int]int{}}
	pools := b.workers
	if claim == "inbox.claim" {
		pools = b.bots
	}
	limits := make([]int, workers)
	for i := range limits {
		limits[i] = 1 + b.random.IntN(7)
	}
	deadline := time.Now().Add(patience)
	var all sync.WaitGroup
	for i, limit := range limits {
		all.Go(func() {
			d := b.On(b, pools[i%len(pools)])
			for c.done() < want && time.Now().Before(deadline) {
				rows, err := d.Try(claim, desk.ClaimArgs(fmt.Sprint("w", i), limit))
				for _, row := range rows {
					c.took(row[owner].(int), row[thing].(int))
				}
				for _, row := range rows {
					c.finishing(row[owner].(int), row[thing].(int)) // before: once it is done, others may go on
					if err == nil {
						err = finish(d, row)
					}
				}
				if err != nil {
					c.mu.Lock()
					c.faults = append(c.faults, err.Error())
					c.total = want
					c.mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	require.Empty(b, c.faults)
	require.Equal(b, want, c.total)
	rows, err := b.Try(claim, desk.ClaimArgs("last", 10))
	require.NoError(b, err)
	require.Empty(b, rows)
}

func TestI12JobsAreHandedOutOnce(t *testing.T) { claimJobs(setup(t)) }

func claimJobs(b *bundle) {
	users := b.customers(20, 4*desk.Basic1)
	for _, key := range []string{"1", "2", "3", "4"} {
		for _, i := range b.random.Perm(len(users)) {
			b.Buy(users[i], "basic", 1, key)
		}
	}
	b.work(4*len(users), "vpn.claim_jobs", "telegram_id", "job_id", func(d *desk.Desk, row Row) error {
		_, err := d.Try("vpn.complete_job", A{"p_job_id": row["job_id"], "p_lease_token": row["lease_token"],
			"p_key_uri": "vless://a"})
		return err
	})
	require.Equal(b, 0, b.count("outbox.task where kind = 'provision' and attempt <> 1"))
	// The receipts, and the key once: 5 messages each.
	b.work(5*len(users), "notify.claim", "telegram_id", "message_id", func(d *desk.Desk, row Row) error {
		_, err := d.Try("notify.sent", A{"p_message_id": row["message_id"], "p_lease_token": row["lease_token"]})
		return err
	})
	require.Equal(b, 0, b.count("outbox.task where outcome is distinct from 'done' or attempt <> 1"))
}

func TestT2InboxKeepsOrderPerChat(t *testing.T) { inboxOrder(setup(t)) }

func inboxOrder(b *bundle) {
	const updates, chats = 300, 20
	ids, owners, payloads := []int{}, []int{}, []string{}
	for i := range updates {
		ids = append(ids, i+1)
		owners = append(owners, 1+b.random.IntN(chats))
		payloads = append(payloads, "{}")
	}
	calls := times(4, b.bots, "inbox.receive", A{"p_update_ids": ids, "p_chat_ids": owners, "p_payloads": payloads})
	received := 0
	for _, a := range b.rush(calls...) {
		require.NoError(b, a.err)
		received += a.rows[0]["received"].(int)
	}
	require.Equal(b, updates, received, "each once, however many receive it")
	b.work(updates, "inbox.claim", "chat_id", "update_id", func(d *desk.Desk, row Row) error {
		rows, err := d.Try("inbox.done", A{"p_update_id": row["update_id"], "p_lease_token": row["lease_token"]})
		if err == nil && rows[0]["is_done"] != true {
			err = fmt.Errorf("update %v was lost", row["update_id"])
		}
		return err
	})
	require.Equal(b, 0, b.count("inbox.update where attempt <> 1"))
}

func TestF5OneLeader(t *testing.T) { oneLeader(setup(t)) }

func oneLeader(b *bundle) {
	for round := range 5 {
		b.owner.Later(fmt.Sprintf("%d minutes", round))
		calls := []call{}
		for i := range workers {
			calls = append(calls, call{b.workers[i%2], "ops.acquire_lease",
				A{"p_name": "telegram.poll", "p_holder": fmt.Sprint("w", i), "p_ttl": "30 seconds"}})
		}
		epochs := []any{}
		for _, a := range b.rush(calls...) {
			require.NoError(b, a.err)
			if a.rows[0]["epoch"] != nil {
				epochs = append(epochs, a.rows[0]["epoch"])
			}
		}
		require.Equal(b, []any{round + 1}, epochs, "one leader, with the next epoch")
	}
}

func TestF4NewLeaderWaitsForTheBatchOfTheOldOne(t *testing.T) { leaderInBatch(setup(t)) }

// leaderInBatch: a batch holds its lease while it runs. Whose time is over meanwhile finishes it before anybody leads
// anew, and its next batch is refused.
func leaderInBatch(b *bundle) {
	lead := func(holder string) A {
		return A{"p_name": "billing.expire_due", "p_holder": holder, "p_ttl": "30 seconds"}
	}
	epoch := b.On(b, b.workers[0]).One("ops.acquire_lease", lead("old"))["epoch"]
	batch := A{"p_epoch": epoch, "p_limit": 10}
	a := b.locked(b.workers[0],
		func(d *desk.Desk) {
			d.One("billing.expire_due", batch)
			b.owner.Later("1 minute")
		},
		call{b.workers[1], "ops.acquire_lease", lead("new")}, func() {})
	require.NoError(b, a.err)
	require.Equal(b, epoch.(int)+1, a.rows[0]["epoch"])
	b.On(b, b.workers[0]).Refused("OP002", "billing.expire_due", batch)
}

func TestF6TwoSchedulers(t *testing.T) { twoSchedulers(setup(t)) }

// twoSchedulers lets every worker and pg_cron run the same batch at once.
func twoSchedulers(b *bundle) {
	users := b.customers(30, 0)
	for _, user := range users {
		b.Open(user, "basic", 1, "k")
	}
	b.owner.Later("30 minutes")
	expired := 0
	for _, a := range b.rush(times(workers, b.workers, "billing.expire_due", A{"p_epoch": nil, "p_limit": 10})...) {
		require.NoError(b, a.err)
		expired += a.rows[0]["expired"].(int)
	}
	require.Equal(b, len(users), expired)
	require.Equal(b, len(users), b.count("billing.purchase where status = 'expired'"))
}

// TestLedgerTimesGrowWithVersions: a batch reads the clock after its users' locks, so that what was written while it looked
// for work is older than its own rows, and wallet.balance_at can go by the time.
func TestLedgerTimesGrowWithVersions(t *testing.T) {
	for name, batch := range map[string]func(b *bundle) (call, int){
		"renew_due": func(b *bundle) (call, int) {
			user := b.customers(1, 2*desk.Basic1)[0]
			b.Buy(user, "basic", 1, "first")
			b.One("subscription.set_auto_renew", A{"p_telegram_id": user, "p_is_on": true})
			b.owner.Query("update ops.setting set value = 604800 where name = 'renewal_window_seconds'")
			b.owner.Later("25 days") // a clock that goes on
			return call{b.workers[0], "subscription.renew_due", renewDue}, user
		},
		"pay_due": func(b *bundle) (call, int) {
			b.Buy(b.guests(1, desk.Basic1, bert)[0], "basic", 1, "k")
			return call{b.workers[0], "referral.pay_due", A{"p_epoch": nil, "p_limit": 10}}, bert
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			work, user := batch(b)
			stop := func(d *desk.Desk) { d.Query("lock table ops.dead in access exclusive mode") } // before its locks
			ran := b.locked(b.harness.Owner, stop, work, func() { b.Credit(user, 77) })
			require.NoError(t, ran.err)
			rows := b.owner.Query(`select reason::text, created_at > lag(created_at) over (order by version) as is_later
				from ledger.transfer where telegram_id = $1 order by version desc limit 2`, user)
			require.Len(t, rows, 2)
			require.NotEqual(t, "admin_credit", rows[0]["reason"])
			require.Equal(t, "admin_credit", rows[1]["reason"])
			require.Equal(t, true, rows[0]["is_later"])
		})
	}
}
