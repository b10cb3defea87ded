package processes_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

// TestF9TheFleet lets two bots and two workers share one database and one Redis, while people write and buy, and bots and
// workers are killed and stopped, and Redis is emptied, killed and started again, in an order by chance. Afterwards each
// question has its answer, each buyer one charge and one key.
func TestF9TheFleet(t *testing.T) {
	b := setup(t)
	random := rand.New(rand.NewPCG(harness.Seed(t), 9))
	b.owner.Query("update ops.scheduled_job set timeout_seconds = 2 where is_exclusive") // so long until a dead leader is followed
	fleet := map[string][]*process{}
	for _, name := range []string{"bot", "worker"} {
		fleet[name] = []*process{b.start(name), b.start(name)}
	}
	c := b.gather(6, 700*time.Millisecond)
	c.goesOn("they talk", 10)
	b.until("they are known", "select count(*) = $1 from account.account where telegram_id >= $2", len(c.people), firstPerson)
	bought, killed := 0, 0
	buy := func() {
		user := firstPerson + bought
		b.Credit(user, desk.Basic1)
		b.Buy(user, "basic", 1, "k")
		bought++
	}
	kill := func(name string) func() {
		return func() {
			i := random.IntN(2)
			b.signal(fleet[name][i], syscall.SIGKILL)
			fleet[name][i].end()
			fleet[name][i] = b.start(name)
		}
	}
	pause := func(name string) func() {
		return func() {
			p := fleet[name][random.IntN(2)]
			b.signal(p, syscall.SIGSTOP)
			time.Sleep(4 * time.Second) // longer than the leases of leaders
			b.signal(p, syscall.SIGCONT)
		}
	}
	redis := func(do func(ctx context.Context) error) func() {
		return func() { require.NoError(t, do(context.Background())) }
	}
	faults := []struct {
		what string
		do   func()
	}{
		{"a bot is killed", func() { kill("bot")(); killed++ }},
		{"a worker is killed", kill("worker")},
		{"a bot is stopped", pause("bot")},
		{"a worker is stopped", pause("worker")},
		{"Redis is emptied", redis(func(ctx context.Context) error { return b.redis.Client.FlushAll(ctx).Err() })},
		{"Redis is killed and comes back", redis(func(ctx context.Context) error {
			if err := b.redis.Server.Kill(); err != nil {
				return err
			}
			time.Sleep(time.Second)
			return b.redis.Server.Restart(ctx)
		})},
	}
	random.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
	for _, fault := range faults {
		t.Log(fault.what)
		buy()
		fault.do()
		c.goesOn("they talk after: "+fault.what, 10)
	}
	b.owner.Later("31 seconds") // what the dead had in hand may be claimed again
	b.until("every buyer has a key", "select count(*) = $1 from outbox.task where name = 'key_ready' and finished_at is not null", bought)
	c.judge(killed + 1) // a bot that is stopped may lose its leases, too
	require.Equal(t, bought, b.count("ledger.transfer where reason = 'purchase'"))
	require.Equal(t, bought, b.count("subscription.subscription where activation = 'active'"))
	identities := map[string]bool{}
	for _, uuid := range b.node.added() {
		identities[uuid] = true
	}
	require.Len(t, identities, bought, fmt.Sprint("one identity each; asked for ", len(b.node.added()), " times"))
}
