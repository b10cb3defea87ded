package fault_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
	"atlas-secure/tests/history"
)

// TestG3TerminateStorm ends a hundred sessions a second, in the middle of whatever they do.
func TestG3TerminateStorm(t *testing.T) {
	b := setup(t)
	crowd := b.crowd(b.bots, b.workers, 16, 12, 1200)
	var ended int
	wrong := b.run(crowd, b.storm(crowd, &ended))
	t.Logf("%d sessions were ended", ended)
	require.Greater(t, ended, 50)
	require.Positive(t, unknowns(crowd.History().Ops()))
	b.judge(crowd.History(), wrong...)
}

// TestA4MixedTraffic lets thirty actors use one wallet, in a storm.
func TestA4MixedTraffic(t *testing.T) {
	b := setup(t)
	crowd := b.crowd(b.bots, b.workers, 30, 1, 1000)
	var ended int
	wrong := b.run(crowd, b.storm(crowd, &ended))
	t.Logf("%d sessions were ended", ended)
	require.Greater(t, ended, 10)
	b.judge(crowd.History(), wrong...)
}

// TestG4Crash kills the server three times under load. It is durable: nothing that was acknowledged may be lost.
func TestG4Crash(t *testing.T) {
	t.Parallel()
	b := bundleOf(t, harness.NewPrivate(t))
	crowd := b.crowd(b.bots, b.workers, 16, 12, 1200)
	var recoveries []time.Duration
	wrong := b.run(crowd, func(ctx context.Context) {
		for range 3 {
			if !moreOperations(ctx, crowd, 200, 5*time.Millisecond) {
				return
			}
			recoveries = append(recoveries, b.crash())
		}
	})
	t.Logf("ready again after %v", recoveries)
	require.Len(t, recoveries, 3, "the run ended before the third crash")
	require.Positive(t, unknowns(crowd.History().Ops()))
	b.judge(crowd.History(), wrong...)
}

// TestG4LostCommits is the control: a server that acknowledges before it has written forgets in a crash what clients were
// told, and that is found.
func TestG4LostCommits(t *testing.T) {
	t.Parallel()
	b := bundleOf(t, harness.NewPrivateWith(t, map[string]string{
		"synchronous_commit": "off", "wal_buffers": "64MB", "bgwriter_lru_maxpages": "0"})) // nobody writes the log before he must
	crowd := b.crowd(b.bots, b.workers, 8, 12, 200)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	writer := b.owner.Value("select pid from pg_stat_activity where backend_type = 'walwriter'").(int)
	require.NoError(t, syscall.Kill(writer, syscall.SIGSTOP)) // but for this one
	crowd.Start(ctx)()
	require.NoError(t, syscall.Kill(writer, syscall.SIGKILL)) // the server takes it for a crash, and so it is
	b.crash()
	h := crowd.History()
	b.bots.Reset()
	b.Owner.Reset()
	s, err := history.Take(ctx, b.Owner, h.First, h.Last)
	require.NoError(t, err)
	lost := history.Kept(h.Ops(), s)
	require.NotEmpty(t, lost, "nothing was lost")
	require.NotEmpty(t, history.Replayed(ctx, b.bots, b.workers, h.Ops()), "and a repeat does it anew")
	t.Logf("%d of %d operations were acknowledged and lost, the first: %s", len(lost), h.Len(), lost[0])
}

// crash kills the server as a loss of power would kill its processes, and starts it again. It says how long nobody could
// get an answer.
func (b *bundle) crash() time.Duration {
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(b, b.Server.Kill())
	require.NoError(b, b.Server.Restart(ctx))
	return time.Since(began)
}

// TestG12IdleInTransaction: somebody locks a user and goes to lunch. Others get a lock timeout, not a hang; users beside
// that one notice nothing; the server ends the idle session by its time limit, and the call goes through.
func TestG12IdleInTransaction(t *testing.T) {
	b := setup(t)
	b.Shop()
	b.set(harness.BotLogin, "lock_timeout", "'250ms'")
	b.set(harness.DBALogin, "idle_in_transaction_session_timeout", "'1500ms'")
	idle, err := pgx.Connect(t.Context(), b.DSN(harness.DBALogin))
	require.NoError(t, err)
	defer func() { _ = idle.Close(context.Background()) }()
	tx, err := idle.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "select * from billing.open_topup($1, 20000, 'of the one who left')", anna)
	require.NoError(t, err)

	busy, other := b.debit(anna), b.debit(bert)
	require.Equal(t, "55P03", busy.code)
	require.Less(t, busy.took, 10*time.Second, "a hang")
	require.Equal(t, "WA001", other.code, "nobody waits for somebody else's lock")

	op, _ := b.do(history.Op{User: anna, Function: "wallet.credit", Key: "after lunch", Amount: 5, Args: creditArgs(anna, 5, "after lunch")})
	require.Empty(t, op.Code)
	require.NotEmpty(t, op.Retried)
	for _, why := range op.Retried {
		require.Equal(t, "55P03", why)
	}
	b.until("the idle session has ended", `select not exists (select from pg_stat_activity
		where datname = current_database() and usename = $1)`, string(harness.DBALogin))
	require.Error(t, tx.Commit(t.Context()))
	require.Equal(t, 0, b.owner.Value("select count(*) from billing.purchase"), "what was forgotten is rolled back")
}
