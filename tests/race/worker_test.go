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
