package telegram_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/telegram"
)

// TestBulkHasAShareOfItsOwn: bulk messages use up what is theirs, and answers to people have the rest at once.
func TestBulkHasAShareOfItsOwn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sender := telegram.NewSender(b.client, limit.New(nil, ""), obs.Discard(), telegram.WithLimits(telegram.Limits{
		All:  limit.Rule{Events: 1, Per: time.Hour, Burst: 5},
		Bulk: limit.Rule{Events: 1, Per: 10 * time.Hour, Burst: 2},
		Chat: limit.Rule{Events: 1, Per: time.Hour, Burst: 1},
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	require.NoError(t, sender.AwaitTurn(ctx))
	_, err := sender.Send(ctx, telegram.Message{ChatID: 1, HTML: "x", Urgency: telegram.Bulk})
	require.NoError(t, err)
	require.ErrorIs(t, sender.AwaitTurn(ctx), telegram.ErrNoTimeLeft, "the share is used up")
	_, err = sender.Send(ctx, telegram.Message{ChatID: 2, HTML: "x", Urgency: telegram.Bulk})
	require.ErrorIs(t, err, telegram.ErrNoTimeLeft)
	for chat := range 3 {
		_, err = sender.Send(ctx, telegram.Message{ChatID: int64(10 + chat), HTML: "x"})
		require.NoError(t, err, "the rest is for answers")
	}
	_, err = sender.Send(ctx, telegram.Message{ChatID: 20, HTML: "x"})
	require.ErrorIs(t, err, telegram.ErrNoTimeLeft, "all of it is used up")
	_, err = sender.Send(ctx, telegram.Message{ChatID: 3, HTML: "x", Urgency: telegram.Called})
	require.NoError(t, err, "whose turn was awaited has had it")
}

// TestBulkKeepsToTheLimitOfAChat, whether or not its turn was awaited.
func TestBulkKeepsToTheLimitOfAChat(t *testing.T) {
	t.Parallel()
	for _, urgency := range []telegram.Urgency{telegram.Bulk, telegram.Called} {
		b := setup(t)
		wide := limit.Rule{Events: 100, Per: time.Second, Burst: 100}
		sender := telegram.NewSender(b.client, limit.New(nil, ""), obs.Discard(), telegram.WithLimits(telegram.Limits{
			All: wide, Bulk: wide, Chat: limit.Rule{Events: 1, Per: time.Hour, Burst: 1},
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		_, err := sender.Send(ctx, telegram.Message{ChatID: 1, HTML: "x", Urgency: urgency})
		require.NoError(t, err)
		_, err = sender.Send(ctx, telegram.Message{ChatID: 1, HTML: "x", Urgency: urgency})
		require.ErrorIs(t, err, telegram.ErrNoTimeLeft)
		cancel()
	}
}

// TestNothingPassesAShutGate: Telegram has said "later" to one message. Nothing else is sent until then, not even what had
// its turn before.
func TestNothingPassesAShutGate(t *testing.T) {
	t.Parallel()
	b := setup(t, say(429, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 3600","parameters":{"retry_after":3600}}`))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	require.NoError(t, b.sender.AwaitTurn(ctx))
	_, err := b.sender.Send(ctx, hello())
	require.ErrorIs(t, err, telegram.ErrNoTimeLeft)
	for _, urgency := range []telegram.Urgency{telegram.Reply, telegram.Bulk, telegram.Called} {
		_, err = b.sender.Send(ctx, telegram.Message{ChatID: 6, HTML: "x", Urgency: urgency})
		require.ErrorIs(t, err, telegram.ErrNoTimeLeft)
	}
	require.ErrorIs(t, b.sender.AnswerPress(ctx, "1", "", false), telegram.ErrNoTimeLeft)
	require.Len(t, b.script.methods(), 1, "only the first was sent")
}
