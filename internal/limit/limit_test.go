package limit_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/limit"
	"atlas-secure/internal/redisdb"
)

type bundle struct {
	server *miniredis.Miniredis
	client redis.UniversalClient
}

func setup(t *testing.T) *bundle {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, DialTimeout: time.Minute, ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = client.Close() })
	return &bundle{server: server, client: client}
}

var perMinute = limit.Rule{Events: 5, Per: time.Minute, Burst: 5}

// patient makes a limiter that a busy machine does not drive to counting alone.
func (b *bundle) patient() *limit.Limiter {
	return limit.New(b.client, "t:", limit.WithPatience(time.Minute))
}

func TestTakeIsSharedByProcesses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two := b.patient(), b.patient()
	b.server.SetTime(time.Now()) // and there it stands
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

	require.Equal(t, 12*time.Second, one.Take(t.Context(), bucket))
	require.Zero(t, one.Take(t.Context(), limit.Bucket{Key: "{8}:pay", Rule: perMinute}), "another user has a bucket of their own")
}

func TestTokensGrowBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	l := b.patient()
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
	for name, l := range map[string]*limit.Limiter{"shared": b.patient(), "alone": limit.New(nil, "t:")} {
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
	one, two := b.patient(), b.patient()
	now := time.Now()
	b.server.SetTime(now)
	gate, bucket := limit.Gate("{s}:gate"), limit.Bucket{Key: "{s}:all", Rule: perMinute}
	one.Close(t.Context(), gate, 20*time.Minute)
	one.Close(t.Context(), gate, 5*time.Minute)
	require.Greater(t, one.Take(t.Context(), gate, bucket), 15*time.Minute)
	require.Greater(t, two.Take(t.Context(), gate, bucket), 15*time.Minute)
	b.server.SetTime(now.Add(21 * time.Minute))
	require.Zero(t, two.Take(t.Context(), gate, bucket))
}

// TestAGateStaysShutWithoutRedis: who was told to wait keeps to it when Redis is away, and tells the others although the
// message that learned it is given up.
func TestAGateStaysShutWithoutRedis(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two := b.patient(), b.patient()
	gate, bucket := limit.Gate("{s}:gate"), limit.Bucket{Key: "{s}:all", Rule: perMinute}
	givenUp, giveUp := context.WithCancel(t.Context())
	giveUp()
	one.Close(givenUp, gate, 20*time.Minute)
	require.Greater(t, two.Take(t.Context(), gate, bucket), 15*time.Minute)
	b.server.SetError("LOADING Redis is loading the dataset in memory")
	require.Greater(t, one.Take(t.Context(), gate, bucket), 15*time.Minute)
}

func TestWithoutRedisEachProcessStillLimits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	l := b.patient()
	bucket := limit.Bucket{Key: "{7}:pay", Rule: perMinute}
	require.Zero(t, l.Take(t.Context(), bucket))
	b.server.SetError("LOADING Redis is loading the dataset in memory")
	require.Equal(t, 5, takenOf50(l, bucket), "counted by this process alone")
}

// silent is a Redis that takes questions and answers none.
type silent struct{}

func (silent) DialHook(next redis.DialHook) redis.DialHook { return next }

func (silent) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, _ redis.Cmder) error {
		<-ctx.Done()
		return ctx.Err()
	}
}

func (silent) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// In a bubble time passes by waiting only, so that the figures are exact.
func TestASilentRedisIsKeptOutOfTheWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
		defer func() { require.NoError(t, client.Close()) }()
		client.AddHook(silent{})
		started := time.Now()
		require.Equal(t, 5, takenOf50(limit.New(client, "t:"), limit.Bucket{Key: "{7}:pay", Rule: perMinute}))
		require.Equal(t, 3*redisdb.DefaultPatience, time.Since(started), "three questions, and then the breaker")
	})
}

func takenOf50(l *limit.Limiter, bucket limit.Bucket) int {
	taken := 0
	for range 50 {
		if l.Take(context.Background(), bucket) == 0 {
			taken++
		}
	}
	return taken
}
