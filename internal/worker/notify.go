package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// Outbox is what the sending job needs of schema notify.
type Outbox interface {
	Claim(ctx context.Context, holder string, limit int, lease time.Duration) ([]sqlapi.Message, error)
	Sent(ctx context.Context, message sqlapi.Message) (bool, error)
	Failed(ctx context.Context, message sqlapi.Message, reason string, isUnreachable bool) (bool, error)
	Release(ctx context.Context, message sqlapi.Message, reason string, wait time.Duration) (bool, error)
}

// sendParallel is how many messages wait for Telegram at a time; how many go out a second is the sender's business.
const sendParallel = 16

const (
	// messageLease is how soon a key is sent again after a crash. When it ends, the database closes every other message as
	// lost, so that sending must be over before: see sendBefore.
	messageLease = 30 * time.Second
	sendBefore   = messageLease - recordTimeout
)

// Notify sends what the outbox holds, in every worker.
func Notify(outbox Outbox, messenger Messenger, log *slog.Logger) Job {
	n := notifier{outbox: outbox, messenger: messenger, log: log}
	return n.work
}

type notifier struct {
	outbox    Outbox
	messenger Messenger
	log       *slog.Logger
}

func (n notifier) work(ctx context.Context, batch Batch) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, sendBefore)
	defer cancel()
	messages, err := n.outbox.Claim(ctx, batch.Holder, batch.Limit, messageLease)
	if err != nil {
		return 0, fmt.Errorf("claiming messages: %w", err)
	}
	group := errgroup.Group{}
	group.SetLimit(sendParallel)
	failures := make([]error, len(messages))
	var released atomic.Int32
	for i, message := range messages {
		group.Go(func() error {
			var isReleased bool
			isReleased, failures[i] = n.one(ctx, batch, message)
			if isReleased {
				released.Add(1)
			}
			return nil
		})
	}
	_ = group.Wait()
	// What was given back is no work done: a whole batch of it must not bring the next one at once.
	return len(messages) - int(released.Load()), errors.Join(failures...)
}

// one sends a message and writes down how that ended, if anybody knows.
func (n notifier) one(ctx context.Context, batch Batch, message sqlapi.Message) (isReleased bool, err error) {
	start := time.Now()
	ctx = obs.WithTelegramID(ctx, int64(message.TelegramID))
	if message.CorrelationID != "" {
		ctx = obs.WithCorrelationID(ctx, message.CorrelationID)
	}
	var sending error = notBegunError{}
	if !batch.IsStopping() && ctx.Err() == nil {
		sending = n.messenger.Deliver(ctx, message)
	}
	isReleased, err = attempt{
		sent: func(ctx context.Context) (bool, error) { return n.outbox.Sent(ctx, message) },
		failed: func(ctx context.Context, reason string, isUnreachable bool) (bool, error) {
			return n.outbox.Failed(ctx, message, reason, isUnreachable)
		},
		released: func(ctx context.Context, reason string, wait time.Duration) (bool, error) {
			return n.outbox.Release(ctx, message, reason, wait)
		},
	}.conclude(ctx, n.log, sending, obs.Operation("notify."+message.Template), obs.Took(start), "message_id", message.MessageID)
	if err != nil {
		return isReleased, fmt.Errorf("message %d: %w", message.MessageID, err)
	}
	return isReleased, nil
}
