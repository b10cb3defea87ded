package harness_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
)

func TestSynchronousClusterFailsOver(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	c := harness.NewCluster(t, true)
	bot := c.FollowingPool(t, harness.Bot)
	var id int64
	require.NoError(t, bot.QueryRow(ctx, register, 7001).Scan(&id))

	c.Partition()
	require.Error(t, bot.Ping(ctx))
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	require.Error(t, c.Bot.QueryRow(short, register, 7002).Scan(&id), "without its standby it acknowledges nothing")

	c.Promote(ctx, t)
	require.Eventually(t, func() bool { return bot.QueryRow(ctx, register, 7003).Scan(&id) == nil },
		time.Minute, 10*time.Millisecond)
	var users []int64
	require.NoError(t, c.Owner.QueryRow(ctx,
		`select array_agg(telegram_id order by telegram_id) from account.account`).Scan(&users))
	require.Equal(t, []int64{7001, 7003}, users)
}

func TestAsynchronousClusterLosesWhatWasNotSent(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	c := harness.NewCluster(t, false)
	var id int64
	require.NoError(t, c.Bot.QueryRow(ctx, register, 7001).Scan(&id))
	require.Eventually(t, func() bool { return count(ctx, t, c, 1) }, time.Minute, 10*time.Millisecond)
	c.Stream.Down()
	require.NoError(t, c.Bot.QueryRow(ctx, register, 7002).Scan(&id))
	require.NoError(t, c.Primary.Kill())
	c.Promote(ctx, t)
	require.True(t, count(ctx, t, c, 1))
}

// count looks on the standby, which may be a primary by now.
func count(ctx context.Context, t *testing.T, c *harness.Cluster, want int) bool {
	t.Helper()
	pool, err := pgxpool.New(ctx, c.Standby.DSN(string(harness.Superuser), c.Database))
	if !assert.NoError(t, err) {
		return false
	}
	defer pool.Close()
	var n int
	return assert.NoError(t, pool.QueryRow(ctx, `select count(*) from account.account`).Scan(&n)) && n == want
}

func TestPrivateRedisIsKilledAndFrozen(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	r := harness.PrivateRedis(t)
	require.NoError(t, r.Client.Set(ctx, "key", "value", 0).Err())
	require.NoError(t, r.Server.Freeze())
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	require.Error(t, r.Client.Ping(short).Err())
	require.NoError(t, r.Server.Thaw())
	require.Equal(t, "value", r.Client.Get(ctx, "key").Val())
	require.NoError(t, r.Server.Kill())
	require.Error(t, r.Client.Ping(ctx).Err())
	require.NoError(t, r.Server.Restart(ctx))
	require.NoError(t, r.Client.Ping(ctx).Err())
}
