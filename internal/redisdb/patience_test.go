package redisdb_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/redisdb"
)

// silent answers nothing.
func silent(ctx context.Context) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func one(context.Context) (int, error) { return 1, nil }

// In bubbles time passes by waiting only, so that the figures are exact.

func TestOneUpdateWaitsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, err := redisdb.NewPatience(redisdb.PatienceOptions{Limit: 300 * time.Millisecond, Failures: 1000})
		require.NoError(t, err)
		ctx, started := redisdb.Together(t.Context()), time.Now()
		slow := func(ctx context.Context) (int, error) {
			select {
			case <-time.After(200 * time.Millisecond):
				return 1, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		n, err := redisdb.Ask(ctx, p, slow)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		_, err = redisdb.Ask(ctx, p, slow)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		for range 10 {
			_, err = redisdb.Ask(ctx, p, one)
			require.ErrorIs(t, err, redisdb.ErrImpatient)
		}
		require.Equal(t, 300*time.Millisecond, time.Since(started), "all questions together")

		_, err = redisdb.Ask(redisdb.Together(t.Context()), p, slow)
		require.NoError(t, err, "the next update has its own")
		for range 3 {
			_, err = redisdb.Ask(t.Context(), p, slow)
			require.NoError(t, err, "what belongs to no update is limited a question at a time")
		}
	})
}

func TestARedisThatFailsIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		p, err := redisdb.NewPatience(redisdb.PatienceOptions{
			Limit: time.Second, Failures: 2, Rest: 10 * time.Second, Registerer: registry,
		})
		require.NoError(t, err)
		ask := func(question func(context.Context) (int, error)) error {
			_, err := redisdb.Ask(t.Context(), p, question)
			return err
		}
		measured := func(name string) (values []float64) {
			families, err := registry.Gather()
			require.NoError(t, err)
			for _, family := range families {
				for _, metric := range family.GetMetric() {
					if family.GetName() == name {
						values = append(values, metric.GetGauge().GetValue()+metric.GetHistogram().GetSampleSum())
					}
				}
			}
			return values
		}
		resting := func() float64 { return measured("atlas_redis_resting")[0] }
		given, cancel := context.WithCancel(t.Context())
		cancel()
		for range 5 {
			_, err := redisdb.Ask(given, p, silent)
			require.ErrorIs(t, err, context.Canceled, "who gives up says nothing about Redis")
			require.ErrorIs(t, ask(func(context.Context) (int, error) { return 0, redis.Nil }), redis.Nil, "an answer")
		}
		require.ErrorIs(t, ask(silent), context.DeadlineExceeded)
		require.NoError(t, ask(one), "one that goes well starts the count anew")
		require.ErrorIs(t, ask(silent), context.DeadlineExceeded)
		require.Zero(t, resting())
		require.Error(t, ask(func(context.Context) (int, error) { return 0, errors.New("OOM command not allowed") }))
		require.InDelta(t, 1, resting(), 0)

		started := time.Now()
		for range 100 {
			require.ErrorIs(t, ask(one), redisdb.ErrImpatient)
		}
		require.Zero(t, time.Since(started))
		time.Sleep(10*time.Second + time.Millisecond)
		require.NoError(t, ask(one))
		require.Zero(t, resting())
		require.Equal(t, []float64{0, 2}, measured("atlas_redis_wait_seconds"), "answered at once, and two that ran into the limit")
	})
}
