package harness_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
)

func TestPgBouncerSharesConnectionsBetweenTransactions(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	h := harness.New(t)
	bouncer := h.PgBouncer(t, 2)
	pool := bouncer.Pool(t, harness.Bot, 8)
	var mu sync.Mutex
	backends := map[int]bool{}
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 20 {
				var pid int
				if !assert.NoError(t, pool.QueryRow(ctx, `select pg_backend_pid()`).Scan(&pid)) {
					return
				}
				mu.Lock()
				backends[pid] = true
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	require.LessOrEqual(t, len(backends), 2)
	require.NotEmpty(t, backends)

	require.NoError(t, bouncer.Kill())
	require.Error(t, pool.Ping(ctx))
	require.NoError(t, bouncer.Restart(ctx))
	pool.Reset()
	require.NoError(t, pool.Ping(ctx))

	admin, err := bouncer.Admin(ctx)
	require.NoError(t, err)
	defer func() { _ = admin.Close(ctx) }()
	rows, err := admin.Query(ctx, `show pools`)
	require.NoError(t, err)
	require.True(t, rows.Next())
	rows.Close()
}
