package harness_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
)

// TestLostCalls: whatever is lost, the client gets an error that is no server's word, and the server has done the work
// unless the request was lost.
func TestLostCalls(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	h := harness.New(t)
	const all = 20
	for _, c := range []struct {
		name string
		loss harness.Loss
		done int
		lost [3]int // answers, cuts, requests
	}{
		{"answer", harness.Loss{Seed: 1, Answer: 1}, all, [3]int{all, 0, 0}},
		{"cut", harness.Loss{Seed: 2, Cut: 1}, all, [3]int{0, all, 0}},
		{"request", harness.Loss{Seed: 3, Request: 1}, 0, [3]int{0, 0, all}},
		{"nothing", harness.Loss{Seed: 4}, all, [3]int{}},
	} {
		pool, lossy := h.LossyPool(t, harness.BotLogin, c.loss)
		before := registered(ctx, t, h)
		for i := range all {
			var id int64
			err := pool.QueryRow(ctx, register, 10_000*(int(c.loss.Seed))+i).Scan(&id)
			var refusal *pgconn.PgError
			require.Equal(t, c.name != "nothing", err != nil, "%s: %v", c.name, err)
			require.NotErrorAs(t, err, &refusal)
		}
		require.Equal(t, before+c.done, registered(ctx, t, h), c.name)
		calls, answers, cuts, requests := lossy.Counts()
		require.Equal(t, all, calls, c.name)
		lost := [3]int{answers, cuts, requests}
		require.Equal(t, c.lost, lost, c.name)
		lossy.Stop()
		require.NoError(t, pool.Ping(ctx))
	}
}

func registered(ctx context.Context, t *testing.T, h *harness.Bundle) int {
	t.Helper()
	rows, err := h.Owner.Query(ctx, "select count(*) from account.account")
	require.NoError(t, err)
	n, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
	require.NoError(t, err)
	return n
}

// TestLossFollowsItsSeedAndShare: the same seed loses the same calls, about as many as were asked for.
func TestLossFollowsItsSeedAndShare(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	h := harness.New(t)
	lostOf := func(seed uint64) (lost []int) {
		pool, _ := h.LossyPool(t, harness.BotLogin, harness.Loss{Seed: seed, Answer: 0.1, Cut: 0.05, Request: 0.05})
		for i := range 300 {
			if _, err := pool.Exec(ctx, "select 1"); err != nil {
				lost = append(lost, i)
			}
		}
		return lost
	}
	first := lostOf(7)
	require.InDelta(t, 60, len(first), 35)
	require.Equal(t, first, lostOf(7))
	require.NotEqual(t, first, lostOf(8))
}
