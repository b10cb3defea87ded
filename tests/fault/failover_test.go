package fault_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sqlapi"
	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
	"atlas-secure/tests/history"
)

// clusterOf gives a bundle on a primary with a standby, whose bots and workers follow whichever of them takes writes.
func clusterOf(t *testing.T, isSynchronous bool) (*bundle, *harness.Cluster) {
	t.Helper()
	t.Parallel()
	c := harness.NewCluster(t, isSynchronous)
	b := bundleOf(t, c.Bundle)
	b.bots, b.workers = c.FollowingPool(t, harness.BotLogin), c.FollowingPool(t, harness.WorkerLogin)
	return b, c
}

// TestG5SynchronousFailover cuts the primary off under load, from its clients and from its synchronous standby, and makes
// the standby the primary. Nothing that was acknowledged may be missing there, and the old primary acknowledges nothing.
func TestG5SynchronousFailover(t *testing.T) {
	b, c := clusterOf(t, true)
	old := b.Pool(t, harness.BotLogin) // beside the proxies
	crowd := b.patientCrowd(b.bots, b.workers, 16, 1200)
	wrong := b.run(crowd, func(ctx context.Context) {
		if !moreOperations(ctx, crowd, 400, often) {
			return
		}
		c.Partition()
		short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		defer cancel()
		_, err := history.Call(short, old, "account.register", history.Args{
			"p_telegram_id": 77, "p_username": nil, "p_language": "en", "p_start_payload": nil})
		require.Error(t, err, "the old primary acknowledges a commit that its standby does not have")
		c.Promote(ctx, t)
	})
	require.Greater(t, crowd.Operations(), 800)
	require.Positive(t, unknowns(crowd.History().Ops()), "nobody was in the middle of anything")
	var isStandby bool
	require.NoError(t, b.bots.QueryRow(t.Context(), `select pg_is_in_recovery()`).Scan(&isStandby))
	require.False(t, isStandby)
	require.Equal(t, int64(0), countOf(t, c, `select count(*) from account.account where telegram_id = 77`))
	b.judge(crowd.History(), wrong...)
}

// countOf asks the server that is the primary now.
func countOf(t *testing.T, c *harness.Cluster, sql string) (n int64) {
	t.Helper()
	require.NoError(t, c.Owner.QueryRow(t.Context(), sql).Scan(&n))
	return n
}

// TestG6AsynchronousFailover is the other way round: it shows that the checkers would notice. The standby gets nothing of
// the last operations, then the primary dies. What was acknowledged since is lost, and the record must say so, of those
// operations and of no other.
func TestG6AsynchronousFailover(t *testing.T) {
	b, c := clusterOf(t, false)
	crowd := b.patientCrowd(b.bots, b.workers, 16, 300)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	crowd.Start(ctx)()
	b.until("the standby has everything", `select bool_and(replay_lsn >= pg_current_wal_flush_lsn()) from pg_stat_replication`)
	cut := crowd.History().Now()
	c.Stream.Down()
	crowd.Start(ctx)()
	require.NoError(t, c.Primary.Kill())
	c.Promote(ctx, t)

	ops := crowd.History().Ops()
	s, err := history.Take(ctx, c.Owner, crowd.History().First, crowd.History().Last)
	require.NoError(t, err)
	lost := history.Kept(ops, s)
	require.NotEmpty(t, lost, "acknowledged operations are lost, and nobody noticed")
	require.NotEmpty(t, history.Linearizable(ops, s, func() (string, error) { return t.TempDir(), nil }), "a balance that forgets was taken for one in order")
	early := ops[:0]
	for _, op := range ops {
		if op.End < cut {
			early = append(early, op)
		}
	}
	require.NotEmpty(t, early)
	require.Empty(t, history.Kept(early, s))
	require.Empty(t, history.Conserved(s), "the standby is behind, and in order")
	t.Logf("%d acknowledged operations are lost, as %s", len(lost), lost[0])
}

// TestG7CancelledWait ends a commit's wait for the synchronous standby. The row is there and the client cannot know
// whether a failover would keep it, even where Postgres reports success (pg_cancel_backend). internal/sqlapi asks again with
// the same key: there is one effect, and the answer comes once the standby has it.
func TestG7CancelledWait(t *testing.T) {
	b, c := clusterOf(t, true)
	b.Shop()
	super := b.super()
	bot := b.sqlapi(b.DSN(harness.BotLogin), 4)
	type answer struct {
		sqlapi.Transfer
		err error
	}
	for i, how := range []string{"pg_terminate_backend", "pg_cancel_backend"} {
		c.Stream.Down()
		answers := make(chan answer, 1)
		go func() {
			transfer, err := bot.Wallet.Credit(context.Background(), sqlapi.AdjustParams{
				TelegramID: anna, Amount: 500, AdminID: boss, Note: "gift", Key: how})
			answers <- answer{transfer, err}
		}()
		isAnswered := func() bool { return len(answers) > 0 }
		pid, since := b.waitingForStandby(super, "", isAnswered)
		_, err := super.Exec(t.Context(), `select `+how+`($1)`, pid)
		require.NoError(t, err)
		b.waitingForStandby(super, since, isAnswered)
		require.Equal(t, desk.Rich+500*(i+1), b.Available(anna), "it is committed here")
		require.Empty(t, answers, "acknowledged without the standby")
		c.Stream.Up()
		got := <-answers
		require.NoError(t, got.err)
		require.True(t, got.IsReplay, how)
		require.Equal(t, desk.Rich+500*(i+1), b.Available(anna), "one effect")
	}
	require.NoError(t, c.Primary.Kill())
	c.Promote(t.Context(), t)
	b.Conn = c.DBA
	require.Equal(t, desk.Rich+1000, b.Available(anna), "what was acknowledged is on the standby")
}

// waitingForStandby waits until a session of the bot waits for the standby, or does so again: the server gives a new
// query_start to what a session runs next. An answer ends the wait, too. It gives the process.
func (b *bundle) waitingForStandby(super *pgx.Conn, before string, isAnswered func() bool) (pid int, since string) {
	b.Helper()
	require.Eventually(b, func() bool {
		return isAnswered() || super.QueryRow(context.Background(), `select pid, query_start::text from pg_stat_activity
			where wait_event = 'SyncRep' and usename = $1 and query_start::text > $2`,
			string(harness.BotLogin), before).Scan(&pid, &since) == nil
	}, patience, 2*time.Millisecond, "a session waits for the standby")
	return pid, since
}
