package worker_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/worker"
)

// lateMessenger delivers, and then something happens.
type lateMessenger func()

func (m lateMessenger) Deliver(context.Context, sqlapi.Message) error {
	m()
	return nil
}

// TestTheRunEndsWhileAMessageIsSent: the time of a run is over when Telegram has just taken a message. That is written down
// all the same: else nobody would know whether it arrived.
func TestTheRunEndsWhileAMessageIsSent(t *testing.T) {
	t.Parallel()
	s := setupSystem(t)
	s.buy(t, 100)
	ctx, end := context.WithCancel(t.Context())
	_, err := worker.Notify(s.db.Notify, lateMessenger(end), obs.Discard())(ctx,
		worker.Batch{Holder: "w", Limit: 1, IsStopping: func() bool { return false }})
	require.NoError(t, err)
	require.Error(t, ctx.Err(), "a message was sent")
	require.Equal(t, 1, s.number(t, `select count(*)::int from outbox.task where kind = 'message' and finished_at is not null
		and outcome = 'done'`))
}
