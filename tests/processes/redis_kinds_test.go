package processes_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/tests/harness"
)

// TestRedisOfManyServers lets two bots use a Redis behind a Sentinel, and a cluster of three masters. In the middle of
// withdrawals the server dies that has the first person's: its replica takes over, everybody goes on where they were, and the
// limits know what was used before.
func TestRedisOfManyServers(t *testing.T) {
	for name, kind := range map[string]func(testing.TB) *harness.RedisKind{
		"sentinel": harness.RedisSentinel, "cluster": harness.RedisCluster,
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			redis := kind(t)
			bots := []*process{b.start("bot", "LOCAL_REDIS_URL="+redis.URL), b.start("bot", "LOCAL_REDIS_URL="+redis.URL)}
			guesser := b.guesser(t)
			b.ask(t, guesser, 3)
			require.Equal(t, 3, b.invoices(t, guesser))
			const people, first, done = 12, 2000, 2
			someone := make([]*person.Person, people)
			var crowd errgroup.Group
			each := func(from, to int) {
				for i := range someone {
					crowd.Go(func() error {
						for _, a := range withdrawal[from:to] {
							if err := b.do(t.Context(), someone[i], a); err != nil {
								return fmt.Errorf("person %d: %w", i, err)
							}
						}
						return nil
					})
				}
				require.NoError(t, crowd.Wait())
			}
			for i := range someone {
				b.User(first + i)
				b.One("account.set_language", A{"p_telegram_id": first + i, "p_language": "ru"})
				b.Credit(first+i, 100000)
				crowd.Go(func() (err error) {
					someone[i], err = b.enter(t.Context(), first+i, "/profile", "Вывести", "одновременно только одна")
					return err
				})
			}
			require.NoError(t, crowd.Wait())
			each(0, done)

			key := fmt.Sprintf("atlas:local:dialogue:{%d}", first)
			require.EqualValues(t, 1, redis.Client.Exists(t.Context(), key).Val())
			for _, bot := range bots {
				require.Zero(t, metric(t, bot.address(b), `atlas_redis_wait_seconds_count{outcome="failed"}`), "what is taken together is on one server")
			}
			redis.KillMaster(t, key)
			b.eventuallyIn("its replica takes over", 40*time.Second, func() bool { return redis.Client.Exists(t.Context(), key).Val() == 1 })
			for _, bot := range bots {
				b.hasSettled(t, bot)
			}
			each(done, len(withdrawal))
			require.Equal(t, people, b.count("withdrawal.withdrawal where amount_kopecks = 60000 and status = 'pending'"))
			b.ask(t, guesser, 6)
			require.Equal(t, paymentTries, b.invoices(t, guesser), "the limit knows what was used")
			for _, bot := range bots {
				require.True(t, bot.saysOnlyJSON(), "the library has no other way to the log")
			}
		})
	}
}

// hasSettled waits until a bot has asked Redis for a while, for leases at least, and has always been answered: it knows the
// servers as they are now.
func (b *bundle) hasSettled(t *testing.T, bot *process) {
	t.Helper()
	const calm = 4 * time.Second // within which a cluster's servers are asked for anew
	since, failed, answered := time.Time{}, -1.0, 0.0
	b.eventually("a bot is at rest with Redis", func() bool {
		now := metric(t, bot.address(b), `atlas_redis_wait_seconds_count{outcome="failed"}`)
		got := metric(t, bot.address(b), `atlas_redis_wait_seconds_count{outcome="answered"}`)
		if now != failed {
			since, failed, answered = time.Now(), now, got
		}
		return time.Since(since) >= calm && got > answered && metric(t, bot.address(b), "atlas_redis_resting") == 0
	})
}

// saysOnlyJSON is that each line of its log is an object.
func (p *process) saysOnlyJSON() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(p.log.String()) {
		if !strings.HasPrefix(line, "{") || !json.Valid([]byte(line)) {
			return false
		}
	}
	return true
}
