package wait_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/wait"
)

func TestForEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		require.NoError(t, wait.For(t.Context(), time.Minute))
		require.Equal(t, time.Minute, time.Since(start))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, wait.For(ctx, time.Minute), context.DeadlineExceeded)
		require.Equal(t, time.Minute+time.Second, time.Since(start))
		require.Error(t, wait.For(ctx, time.Minute), "it is over already")
	})
}

func TestJitteredSpreads(t *testing.T) {
	t.Parallel()
	seen := map[time.Duration]bool{}
	for range 1000 {
		d := wait.Jittered(time.Second)
		require.GreaterOrEqual(t, d, time.Second/2)
		require.LessOrEqual(t, d, time.Second)
		seen[d] = true
	}
	require.Greater(t, len(seen), 900)
	require.Zero(t, wait.Jittered(0))
}

func TestOutliving(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(context.WithValue(t.Context(), "key", "value")) //nolint:staticcheck,revive // a test's
		longer, cancel := wait.Outliving(ctx, time.Minute)
		defer cancel()
		require.Equal(t, "value", longer.Value("key"))
		time.Sleep(time.Hour)
		require.NoError(t, longer.Err())
		end()
		time.Sleep(time.Minute - 1)
		require.NoError(t, longer.Err(), "its time is not over")
		time.Sleep(2 * time.Nanosecond)
		require.ErrorIs(t, longer.Err(), context.Canceled)

		longer, cancel = wait.Outliving(t.Context(), time.Minute)
		cancel()
		require.ErrorIs(t, longer.Err(), context.Canceled, "ended by whoever made it")
	})
}
