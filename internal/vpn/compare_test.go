package vpn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
)

// mended is whom a node was told of.
type mended struct {
	mu    sync.Mutex
	uuids []string
}

func (m *mended) tell(uuid string, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.uuids = append(m.uuids, uuid)
	return err
}

func someUsers(count int) []atlas.VPNUser {
	users := make([]atlas.VPNUser, count)
	for i := range users {
		users[i].UUID = fmt.Sprint(i)
	}
	return users
}

// TestARefusedUserStopsNobodyElse: all the others are told to the node; of many refusals a few are told.
func TestARefusedUserStopsNobodyElse(t *testing.T) {
	t.Parallel()
	d := difference[string]{missing: someUsers(100), strange: []string{"a", "b"}, other: []pair[string]{{user: atlas.VPNUser{UUID: "c"}}}}
	var told mended
	changes, err := mend(t.Context(), d,
		func(_ context.Context, user atlas.VPNUser) error {
			if len(user.UUID) == 1 {
				return told.tell(user.UUID, &RefusedError{Status: 400})
			}
			return told.tell(user.UUID, nil)
		},
		func(_ context.Context, other pair[string]) error { return told.tell(other.user.UUID, nil) },
		func(_ context.Context, has string) error {
			if has == "a" {
				return told.tell(has, errors.New("no"))
			}
			return told.tell(has, nil)
		})
	require.Equal(t, Changes{Added: 90, Changed: 1, Removed: 1}, changes)
	require.Len(t, told.uuids, 103)
	require.ErrorContains(t, err, "no")
	var joined interface{ Unwrap() []error }
	require.ErrorAs(t, err, &joined)
	require.Len(t, joined.Unwrap(), maxFailures)
}

// TestANodeThatGoesDownIsToldOfNobodyElse but those who were under way just then.
func TestANodeThatGoesDownIsToldOfNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told mended
		_, err := mend(t.Context(), difference[string]{missing: someUsers(1000)},
			func(ctx context.Context, user atlas.VPNUser) error {
				if user.UUID == "20" {
					return told.tell(user.UUID, fmt.Errorf("refused: %w", ErrDown))
				}
				select {
				case <-ctx.Done():
				case <-time.After(time.Minute):
				}
				return told.tell(user.UUID, ctx.Err())
			}, nil, nil)
		require.ErrorIs(t, err, ErrDown)
		require.LessOrEqual(t, len(told.uuids), 20+mendParallel)
	})
}
