package redis_test

import (
	"context"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/redis"
)

func setup(t *testing.T, opts redis.Options) (context.Context, *redis.Server, *goredis.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	server, err := redis.Start(ctx, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	options, err := goredis.ParseURL(server.URL(200))
	require.NoError(t, err)
	client := goredis.NewClient(options)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return ctx, server, client
}

func TestServerForgetsAndComesBack(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]redis.Options{"child if installed": {}, "in process": {InProcess: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, server, client := setup(t, opts)
			require.NoError(t, client.Set(ctx, "kept", "no", 0).Err())
			require.NoError(t, server.Kill())
			<-server.Done()
			require.NoError(t, server.Restart(ctx))
			require.Eventually(t, func() bool {
				return client.Get(ctx, "kept").Err() == goredis.Nil //nolint:errorlint // the sentinel itself is the answer
			}, time.Minute, 10*time.Millisecond)
			require.NoError(t, server.Stop(ctx))
			require.NoError(t, server.Stop(ctx), "stopping again is no error")
		})
	}
}

func TestKeysExpireByTheClock(t *testing.T) {
	t.Parallel()
	ctx, _, client := setup(t, redis.Options{InProcess: true})
	require.NoError(t, client.Set(ctx, "short", "lived", 30*time.Millisecond).Err())
	require.Eventually(t, func() bool {
		n, err := client.Exists(ctx, "short").Result()
		return err == nil && n == 0
	}, time.Minute, 10*time.Millisecond)
}

func TestAgeTakesWhatWouldHaveRunOut(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]redis.Options{"child if installed": {}, "in process": {InProcess: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, server, client := setup(t, opts)
			own, err := goredis.ParseURL(server.URL(0))
			require.NoError(t, err)
			first := goredis.NewClient(own)
			t.Cleanup(func() { require.NoError(t, first.Close()) })
			require.NoError(t, first.Set(ctx, "dialogue", 1, time.Hour).Err())
			require.NoError(t, first.Set(ctx, "month", 1, 30*24*time.Hour).Err())
			require.NoError(t, first.Set(ctx, "for ever", 1, 0).Err())
			require.NoError(t, client.Set(ctx, "another database", 1, time.Hour).Err())
			require.NoError(t, server.Age(ctx, 24*time.Hour))
			require.EqualValues(t, 0, first.Exists(ctx, "dialogue").Val())
			require.EqualValues(t, 1, first.Exists(ctx, "for ever").Val())
			require.InDelta(t, 29*24*time.Hour, first.TTL(ctx, "month").Val(), float64(time.Minute))
			require.EqualValues(t, 1, client.Exists(ctx, "another database").Val())
			require.NoError(t, server.Kill())
			require.Error(t, server.Age(ctx, time.Hour), "it is away")
			require.NoError(t, server.Restart(ctx))
		})
	}
}
