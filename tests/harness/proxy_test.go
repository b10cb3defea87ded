package harness_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
)

// ask runs a query on a new connection; its answer has some 100 kB.
func ask(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var text string
	return conn.QueryRow(ctx, `select repeat('x', 100000)`).Scan(&text)
}

func TestProxySpoilsConnections(t *testing.T) {
	t.Parallel()
	h := harness.New(t)
	for name, spoil := range map[string]func(p *harness.Proxy){
		"limit":   func(p *harness.Proxy) { p.LimitData(harness.ToClient, 50_000) },
		"reset":   func(p *harness.Proxy) { p.ResetPeer(harness.ToServer, 0) },
		"timeout": func(p *harness.Proxy) { p.Timeout(harness.ToClient, 20*time.Millisecond) },
		"down":    func(p *harness.Proxy) { p.Down() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := deadline(t)
			p := h.Proxy(t)
			for _, role := range []harness.Role{harness.Bot, harness.Superuser} {
				require.NoError(t, ask(ctx, p.DSN(role)))
			}
			open := p.Pool(t, harness.Bot)
			require.NoError(t, open.Ping(ctx))
			spoil(p.Proxy)
			require.Error(t, ask(ctx, p.DSN(harness.Bot)), "a new connection")
			_, err := open.Exec(ctx, `select repeat('x', 100000)`)
			require.Error(t, err, "a connection that was open")
			require.NoError(t, ask(ctx, h.DSN(harness.Bot)), "beside the proxy")
			if name == "down" {
				p.Up()
			}
			p.Heal()
			require.NoError(t, ask(ctx, p.DSN(harness.Bot)))
			require.NoError(t, open.Ping(ctx))
		})
	}
}

func TestProxyHoldsDataBack(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	p := harness.New(t).Proxy(t)
	pool := p.Pool(t, harness.Bot)
	require.NoError(t, pool.Ping(ctx))
	const delay = 50 * time.Millisecond
	p.Latency(harness.ToClient, delay, 0)
	start := time.Now()
	require.NoError(t, pool.Ping(ctx))
	require.GreaterOrEqual(t, time.Since(start), delay)

	p.Heal()
	p.Timeout(harness.ToClient, 0)
	short, cancel := context.WithTimeout(ctx, delay)
	defer cancel()
	require.ErrorIs(t, pool.Ping(short), context.DeadlineExceeded, "nothing comes back and nothing is closed")
}

func TestProxyBeforeRedis(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	r := harness.Redis(t)
	p := r.Proxy(t)
	require.NoError(t, p.Client.Set(ctx, "key", "value", 0).Err())
	require.Equal(t, "value", r.Client.Get(ctx, "key").Val(), "the same database")
	p.Down()
	require.Error(t, p.Client.Ping(ctx).Err())
	p.Up()
	require.NoError(t, p.Client.Ping(ctx).Err())
}
