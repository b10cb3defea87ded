package limit_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/limit"
)

// counter is a database whose answers are made up.
type counter struct {
	rules       map[limit.Action]limit.Rule
	wait        time.Duration
	isAway      bool
	read, taken int
}

var errAway = errors.New("away")

func (c *counter) Rules(context.Context) (map[limit.Action]limit.Rule, error) {
	c.read++
	if c.isAway {
		return nil, errAway
	}
	return c.rules, nil
}

func (c *counter) Take(context.Context, limit.Action, atlas.TelegramID) (time.Duration, error) {
	c.taken++
	if c.isAway {
		return 0, errAway
	}
	return c.wait, nil
}

func guarded(often int, per time.Duration) (*counter, *limit.Guard) {
	c := &counter{rules: map[limit.Action]limit.Rule{limit.Promo: {Events: often, Per: per, Burst: often}}}
	return c, limit.NewGuard(limit.New(nil, "t:"), c)
}

func TestADatabaseThatIsAwayLetsNobodyPass(t *testing.T) {
	t.Parallel()
	c, guard := guarded(5, time.Hour)
	c.isAway = true
	_, err := guard.Take(t.Context(), limit.Promo, 1)
	require.ErrorIs(t, err, errAway, "nobody knows the limits yet")
	require.Zero(t, c.taken)
	c.isAway = false
	wait, err := guard.Take(t.Context(), limit.Promo, 1)
	require.NoError(t, err)
	require.Zero(t, wait)
	c.isAway = true
	_, err = guard.Take(t.Context(), limit.Promo, 1)
	require.ErrorIs(t, err, errAway, "the limits are known, and nobody counts")
	require.Equal(t, 2, c.taken)
}

func TestTheDatabaseHasTheLastWord(t *testing.T) {
	t.Parallel()
	c, guard := guarded(5, time.Hour)
	c.wait = time.Hour
	wait, err := guard.Take(t.Context(), limit.Promo, 1)
	require.NoError(t, err)
	require.Equal(t, time.Hour, wait)
}

func TestWhoTriesOnAndOnDoesNotReachTheDatabase(t *testing.T) {
	t.Parallel()
	c, guard := guarded(3, time.Hour)
	for range 10 {
		_, err := guard.Take(t.Context(), limit.Promo, 1)
		require.NoError(t, err)
	}
	require.Equal(t, 3, c.taken)
	_, err := guard.Take(t.Context(), limit.Promo, 2)
	require.NoError(t, err)
	require.Equal(t, 4, c.taken, "another person")
	_, err = guard.Take(t.Context(), limit.Reissue, 1)
	require.ErrorContains(t, err, "reissue", "it has no limit: that is a mistake, and no leave to go on")
}

func TestLimitsAreReadAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, guard := guarded(1, time.Minute)
		take := func() time.Duration {
			wait, err := guard.Take(t.Context(), limit.Promo, 1)
			require.NoError(t, err)
			return wait
		}
		require.Zero(t, take())
		require.Positive(t, take())
		require.Equal(t, 1, c.read)
		c.rules = map[limit.Action]limit.Rule{limit.Promo: {Events: 60, Per: time.Minute, Burst: 60}}
		time.Sleep(15 * time.Second)
		require.Zero(t, take(), "an admin has set another limit")
		require.Equal(t, 2, c.read)
	})
}
