package dialogue_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/dialogue"
	"atlas-secure/internal/redisdb"
)

var topup = dialogue.Kind{Name: "topup", Version: 1}

type draft struct{ Amount int }

type bundle struct {
	server *miniredis.Miniredis
	store  *dialogue.Store
	other  *dialogue.Store // another process
}

func setup(t *testing.T) *bundle {
	t.Helper()
	server := miniredis.RunT(t)
	connect := func() *dialogue.Store {
		client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, DialTimeout: time.Minute, ReadTimeout: time.Minute})
		t.Cleanup(func() { _ = client.Close() })
		return dialogue.New(client, "test:", time.Minute, dialogue.WithPatience(time.Minute))
	}
	return &bundle{server: server, store: connect(), other: connect()}
}

func TestStepByStep(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), t.Context()
	_, err := b.store.Load(ctx, 7, topup)
	require.ErrorIs(t, err, dialogue.ErrNone)

	require.NoError(t, b.store.Begin(ctx, 7, topup, "amount", draft{}))
	d, err := b.other.Load(ctx, 7, topup)
	require.NoError(t, err)
	require.Equal(t, "amount", d.Step)

	require.NoError(t, b.other.Advance(ctx, 7, d, "confirm", draft{Amount: 5}))
	d, err = b.store.Load(ctx, 7, topup)
	require.NoError(t, err)
	var got draft
	require.NoError(t, d.Draft(&got))
	require.Equal(t, draft{Amount: 5}, got)
	require.Equal(t, "confirm", d.Step)

	_, err = b.store.Load(ctx, 8, topup)
	require.ErrorIs(t, err, dialogue.ErrNone, "another person")
	require.NoError(t, b.store.End(ctx, 7, d))
	require.ErrorIs(t, b.store.End(ctx, 7, d), dialogue.ErrMoved)
	_, err = b.store.Load(ctx, 7, topup)
	require.ErrorIs(t, err, dialogue.ErrNone)
}

func TestOneOfManyAdvances(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), t.Context()
	require.NoError(t, b.store.Begin(ctx, 7, topup, "amount", draft{}))
	seen, err := b.store.Load(ctx, 7, topup)
	require.NoError(t, err)
	var advanced, moved atomic.Int32
	var work sync.WaitGroup
	for i := range 20 {
		work.Go(func() {
			store := b.store
			if i%2 == 0 {
				store = b.other
			}
			switch err := store.Advance(ctx, 7, seen, "confirm", draft{Amount: i}); {
			case err == nil:
				advanced.Add(1)
			default:
				moved.Add(1)
			}
		})
	}
	work.Wait()
	require.Equal(t, int32(1), advanced.Load())
	require.Equal(t, int32(19), moved.Load())
}

func TestABeginInBetweenIsNotOverwritten(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), t.Context()
	require.NoError(t, b.store.Begin(ctx, 7, topup, "amount", draft{}))
	seen, err := b.store.Load(ctx, 7, topup)
	require.NoError(t, err)
	require.NoError(t, b.other.Begin(ctx, 7, topup, "amount", draft{}), "looks the same, but is another one")
	require.ErrorIs(t, b.store.Advance(ctx, 7, seen, "confirm", draft{}), dialogue.ErrMoved)
	require.NoError(t, b.other.Clear(ctx, 7))
	require.ErrorIs(t, b.store.Advance(ctx, 7, seen, "confirm", draft{}), dialogue.ErrMoved)
}

func TestForgottenAfterAWhile(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), t.Context()
	require.NoError(t, b.store.Begin(ctx, 7, topup, "amount", draft{}))
	d, err := b.store.Load(ctx, 7, topup)
	require.NoError(t, err)
	b.server.FastForward(50 * time.Second)
	require.NoError(t, b.store.Advance(ctx, 7, d, "confirm", draft{}), "a step starts the time anew")
	b.server.FastForward(50 * time.Second)
	_, err = b.store.Load(ctx, 7, topup)
	require.NoError(t, err)
	b.server.FastForward(11 * time.Second)
	_, err = b.store.Load(ctx, 7, topup)
	require.ErrorIs(t, err, dialogue.ErrNone)
}

func TestAnotherReleasesDialogueIsDropped(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), t.Context()
	for _, text := range []string{`{"mark":"x","name":"topup","version":2,"step":"amount","draft":{}}`, `{"mark":`, `[]`} {
		require.NoError(t, b.server.Set("test:dialogue:{7}", text))
		_, err := b.store.Load(ctx, 7, topup)
		require.ErrorIs(t, err, dialogue.ErrOutdated)
		_, err = b.store.Load(ctx, 7, topup)
		require.ErrorIs(t, err, dialogue.ErrNone)
	}
	require.NoError(t, b.server.Set("test:dialogue:{7}", `{"mark":"x","name":"topup","version":1,"step":"amount","draft":"odd"}`))
	d, err := b.store.Load(ctx, 7, topup)
	require.NoError(t, err)
	require.ErrorIs(t, d.Draft(&draft{}), dialogue.ErrOutdated)
}

func TestWithoutRedis(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), t.Context()
	require.NoError(t, b.store.Begin(ctx, 7, topup, "amount", draft{}))
	b.server.SetError("LOADING Redis is loading the dataset in memory")
	for range 20 {
		_, err := b.store.Load(ctx, 7, topup)
		require.ErrorIs(t, err, dialogue.ErrUnavailable)
		require.ErrorIs(t, b.store.Begin(ctx, 7, topup, "amount", draft{}), dialogue.ErrUnavailable)
	}
	b.server.SetError("")
	require.Eventually(t, func() bool {
		_, err := b.store.Load(ctx, 7, topup)
		return err == nil
	}, time.Minute, 50*time.Millisecond, "it comes back on its own")
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

// In a bubble time passes by waiting only, so that the figure is exact.
func TestASilentRedisIsKeptOutOfTheWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
		defer func() { require.NoError(t, client.Close()) }()
		client.AddHook(silent{})
		store := dialogue.New(client, "test:", time.Minute)
		started := time.Now()
		for range 20 {
			_, err := store.Load(t.Context(), 7, topup)
			require.ErrorIs(t, err, dialogue.ErrUnavailable)
		}
		require.Equal(t, 3*redisdb.DefaultPatience, time.Since(started), "three questions, and then the breaker")
	})
}
