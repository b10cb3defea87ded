package processes_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const pollLease = "telegram.poll"

// follows waits until another process than before has the lease, and gives how long that took.
func (b *bundle) follows(name string, epoch int, since time.Time) (took time.Duration) {
	b.Helper()
	b.eventually("another one leads "+name, func() bool {
		pid, now := b.leader(name)
		took = time.Since(since)
		return pid != 0 && now > epoch
	})
	return took
}

// TestT5DeadPollerIsFollowed kills the bot that polls, while people write. Another polls soon (within five seconds on a machine
// that has nothing else to do), and what the dead one had in hand is handled when its leases are over.
func TestT5DeadPollerIsFollowed(t *testing.T) {
	b := setup(t)
	first, second := b.start("bot"), b.start("bot")
	c := b.gather(8, 500*time.Millisecond)
	leader, others, epoch := b.leading(pollLease, first, second)
	c.goesOn("they talk", 20)
	killed := time.Now()
	b.signal(leader, syscall.SIGKILL)
	leader.end()
	took := b.follows(pollLease, epoch, killed)
	t.Logf("another bot polls after %s", took.Round(time.Millisecond))
	require.Less(t, took, 15*time.Second)
	c.goesOn("they talk with the other one", 20)
	b.owner.Later("31 seconds") // what was in hand may be claimed again
	c.judge(1)
	require.Zero(t, conflicts(others...))
}

// TestT5PausedPollerStepsBack stops the bot that polls until another does, and lets it go on. It polls no more, and does not
// throw the other out.
func TestT5PausedPollerStepsBack(t *testing.T) {
	b := setup(t)
	first, second := b.start("bot"), b.start("bot")
	c := b.gather(8, 500*time.Millisecond)
	leader, others, epoch := b.leading(pollLease, first, second)
	c.goesOn("they talk", 20)
	b.signal(leader, syscall.SIGSTOP)
	b.follows(pollLease, epoch, time.Now())
	c.goesOn("they talk with the other one", 10)
	b.signal(leader, syscall.SIGCONT)
	b.eventually("it knows", func() bool { return leader.said("no longer leading") })
	c.goesOn("nobody is thrown out", 20)
	require.Zero(t, conflicts(others...), "the paused one does not ask again")
	require.LessOrEqual(t, conflicts(leader), 1, "its own question was ended when the other asked")
	now, _, later := b.leading(pollLease, first, second)
	require.Equal(t, []any{others[0].Process.Pid, epoch + 1}, []any{now.Process.Pid, later})
	c.judge(1) // a pause is longer than a lease where the machine is slow
}

// TestT5DeployOverlap starts each new bot beside the old one and stops the old one then, as a deployment does. Nothing is lost,
// and nothing is answered twice.
func TestT5DeployOverlap(t *testing.T) {
	b := setup(t)
	old := b.start("bot")
	all := []*process{old}
	c := b.gather(8, 500*time.Millisecond)
	c.goesOn("they talk", 10)
	for range 3 {
		next := b.start("bot")
		all = append(all, next)
		b.eventually("it is ready", func() bool { return next.said(`"msg":"listening"`) })
		c.goesOn("with two", 10)
		_, _, epoch := b.leading(pollLease, all...)
		stopped := time.Now()
		b.terminate(old)
		t.Logf("the next bot polls %s after the old one was told to stop", b.follows(pollLease, epoch, stopped).Round(time.Millisecond))
		c.goesOn("with the new one", 10)
		old = next
	}
	c.judge(0)
	require.LessOrEqual(t, conflicts(all...), 3, "at most one a hand-over")
}

// TestF5RedisLosesTheKey empties Redis until another worker has the key of a job whose leader lives. It asks Postgres, which says
// no: the leader goes on without the key, and all runs are its own.
func TestF5RedisLosesTheKey(t *testing.T) {
	b := setup(t)
	const job = "billing.expire_due"
	b.onlyJob(job)
	b.owner.Query("update ops.scheduled_job set timeout_seconds = 3600 where name = $1", job) // the clock jumps half an hour
	all := []*process{b.start("worker"), b.start("worker"), b.start("worker")}
	leader, _, epoch := b.leading(job, all...)
	holder := b.owner.Value("select holder from ops.lease where name = $1", job)
	b.eventually("another one has the key", func() bool {
		ctx := context.Background()
		require.NoError(t, b.redis.Client.FlushAll(ctx).Err())
		time.Sleep(poll)
		key, err := b.redis.Client.Get(ctx, "atlas:local:lease:"+job).Result()
		return err == nil && key != holder
	})
	for _, user := range []int{anna, bert} {
		b.Open(user, "basic", 1, "k")
	}
	b.owner.Later("31 minutes")
	b.until("the work is done", "select count(*) = 2 from billing.purchase where status = 'expired'")
	b.until("it is written down", "select exists (select from ops.scheduled_job_run where job_name = $1)", job)
	require.Equal(t, []Row{{"holder": holder, "epoch": epoch}},
		b.owner.Query("select distinct holder, epoch::int from ops.scheduled_job_run where job_name = $1", job))
	now, _, later := b.leading(job, all...)
	require.Equal(t, []any{leader.Process.Pid, epoch}, []any{now.Process.Pid, later})

	b.signal(leader, syscall.SIGKILL)
	leader.end()
	b.Open(anna, "basic", 1, "late")
	b.owner.Later("120 minutes") // its lease is over
	b.until("the next one works", "select count(*) = 3 from billing.purchase where status = 'expired'")
	_, epochNow := b.leader(job)
	require.Equal(t, epoch+1, epochNow)
}
