package worker_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/worker"
)

// threeRecipients are claimed one after the other; the claim of the third takes until Telegram has told to wait.
type threeRecipients struct {
	mu       sync.Mutex
	claimed  int64
	sent     []atlas.TelegramID
	released []atlas.TelegramID
	asked    chan struct{} // for the third
	told     chan struct{}
}

func (r *threeRecipients) Claim(ctx context.Context, _ string, _ int, _ time.Duration) ([]sqlapi.BroadcastMessage, error) {
	r.mu.Lock()
	r.claimed++
	number := r.claimed
	r.mu.Unlock()
	switch {
	case number > 3:
		return nil, nil
	case number == 2:
		<-r.asked
	case number == 3: // marked, whether the caller waits for the answer or not
		close(r.asked)
		<-r.told
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return []sqlapi.BroadcastMessage{{TelegramID: atlas.TelegramID(number)}}, nil
}

func (r *threeRecipients) Sent(_ context.Context, message sqlapi.BroadcastMessage) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, message.TelegramID)
	return true, nil
}

func (r *threeRecipients) Failed(context.Context, sqlapi.BroadcastMessage, string, bool) (bool, error) {
	panic("nothing is refused for good")
}

func (r *threeRecipients) Release(_ context.Context, message sqlapi.BroadcastMessage, _ string, _ time.Duration) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.released = append(r.released, message.TelegramID)
	if message.TelegramID == 2 {
		close(r.told)
	}
	return true, nil
}

// busyTelegram takes one message and tells then to wait.
type busyTelegram struct{ asked []atlas.TelegramID }

func (*busyTelegram) AwaitTurn(ctx context.Context) error { return ctx.Err() }

func (b *busyTelegram) Proclaim(_ context.Context, message sqlapi.BroadcastMessage) error {
	b.asked = append(b.asked, message.TelegramID)
	if message.TelegramID == 1 {
		return nil
	}
	return laterError{}
}

type laterError struct{}

func (laterError) Error() string       { return "retry after 30" }
func (laterError) IsUnreachable() bool { return false }
func (laterError) Wait() time.Duration { return 30 * time.Second }

// TestToldToWaitWhileSomebodyIsClaimed: whom the database marks just then gets nothing now, and is given back: not one is
// lost for a broadcast.
func TestToldToWaitWhileSomebodyIsClaimed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		recipients := &threeRecipients{asked: make(chan struct{}), told: make(chan struct{})}
		telegram := &busyTelegram{}
		items, err := worker.Broadcast(recipients, telegram, obs.Discard())(t.Context(),
			worker.Batch{Holder: "w", Limit: 100, IsStopping: func() bool { return false }})
		require.NoError(t, err)
		require.Equal(t, 1, items)
		require.Equal(t, []atlas.TelegramID{1, 2}, telegram.asked)
		require.Equal(t, []atlas.TelegramID{1}, recipients.sent)
		require.Equal(t, []atlas.TelegramID{2, 3}, recipients.released)
	})
}
