package limit_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/limit"
)

type bundle struct {
	server *miniredis.Miniredis
	client redis.UniversalClient
}

func setup(t *testing.T) *bundle {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, DialTimeout: 200 * time.Millisecond})
	t.Cleanup(func() { _ = client.Close() })
	return &bundle{server: server, client: client}
}

var perMinute = limit.Rule{Events: 5, Per: time.Minute, Burst: 5}

func TestTakeIsSharedByProcesses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	patient := limit.WithPatience(10 * time.Second)
	one, two := limit.New(b.client, "t:", patient), limit.New(b.client, "t:", patient)
	bucket := limit.Bucket{Key: "{7}:pay", Rule: perMinute}

	var mu sync.Mutex
	var taken int
	var work sync.WaitGroup
	for i := range 100 {
		work.Go(func() {
			l := one
			if i%2 == 0 {
				l = two
			}
			if l.Take(t.Context(), bucket) == 0 {
				mu.Lock()
				taken++
				mu.Unlock()
			}
		})
	}
	work.Wait()
	require.Equal(t, 5, taken)

	wait := one.Take(t.Context(), bucket)
	require.Greater(t, wait, 10*time.Second)
	require.LessOrEqual(t, wait, 12*time.Second)
	require.Zero(t, one.Take(t.Context(), limit.Bucket{Key: "{8}:pay", Rule: perMinute}), "another user has a bucket of their own")
}

func TestTokensGrowBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	l := limit.New(b.client, "t:")
	start := time.Now()
	b.server.SetTime(start)
	bucket := limit.Bucket{Key: "{7}:pay", Rule: perMinute}
	for range 5 {
		require.Zero(t, l.Take(t.Context(), bucket))
	}
	require.Positive(t, l.Take(t.Context(), bucket))
	b.server.SetTime(start.Add(12 * time.Second))
	require.Zero(t, l.Take(t.Context(), bucket))
	require.Positive(t, l.Take(t.Context(), bucket))
}

func TestAllOrNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, client := range map[string]redis.UniversalClient{"shared": b.client, "alone": nil} {
		l := limit.New(client, "t:")
		wide := limit.Bucket{Key: "{s}:all", Rule: limit.Rule{Events: 2, Per: time.Hour, Burst: 2}}
		narrow := limit.Bucket{Key: "{s}:chat", Rule: limit.Rule{Events: 1, Per: time.Hour, Burst: 1}}
		require.Zero(t, l.Take(t.Context(), wide, narrow), name)
		require.Positive(t, l.Take(t.Context(), wide, narrow), name)
		require.Zero(t, l.Take(t.Context(), wide), "%s: the refused take kept nothing", name)
		require.Positive(t, l.Take(t.Context(), wide), name)
	}
}

func TestGateClosesEveryProcess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two := limit.New(b.client, "t:"), limit.New(b.client, "t:")
	now := time.Now()
	b.server.SetTime(now)
	gate, bucket := limit.Gate("{s}:gate"), limit.Bucket{Key: "{s}:all", Rule: perMinute}
	one.Close(t.Context(), gate, 20*time.Second)
	one.Close(t.Context(), gate, 5*time.Second)
	require.Greater(t, one.Take(t.Context(), gate, bucket), 15*time.Second)
	require.Greater(t, two.Take(t.Context(), gate, bucket), 15*time.Second)
	b.server.SetTime(now.Add(21 * time.Second))
	require.Zero(t, two.Take(t.Context(), gate, bucket))
}

func TestWithoutRedisEachProcessStillLimits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	l := limit.New(b.client, "t:")
	bucket := limit.Bucket{Key: "{7}:pay", Rule: perMinute}
	require.Zero(t, l.Take(t.Context(), bucket))
	b.server.Close()
	taken := 0
	started := time.Now()
	for range 50 {
		if l.Take(context.Background(), bucket) == 0 {
			taken++
		}
	}
	require.Equal(t, 5, taken)
	require.Less(t, time.Since(started), 2*time.Second, "the breaker keeps the failing Redis out of the way")
}
