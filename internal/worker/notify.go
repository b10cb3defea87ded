package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	for i, message := range messages {
		group.Go(func() error {
			failures[i] = n.one(ctx, batch, message)
			return nil
		})
	}
	_ = group.Wait()
	return len(messages), errors.Join(failures...)
}

// one sends a message and writes down how that ended, if anybody knows.
func (n notifier) one(ctx context.Context, batch Batch, message sqlapi.Message) error {
	start := time.Now()
	ctx = obs.WithTelegramID(ctx, int64(message.TelegramID))
	if message.CorrelationID != "" {
		ctx = obs.WithCorrelationID(ctx, message.CorrelationID)
	}
	var sending error = notBegunError{}
	if !batch.IsStopping() && ctx.Err() == nil {
		sending = n.messenger.Deliver(ctx, message)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	attrs := []any{
		obs.Operation("notify." + message.Template), obs.Took(start), "message_id", message.MessageID,
	}
	var undelivered Undelivered
	isRecorded, written := true, error(nil)
	switch {
	case sending == nil:
		n.log.InfoContext(ctx, "message", append(attrs, obs.Outcome(obs.OutcomeOK))...)
		isRecorded, written = n.outbox.Sent(last, message)
	case errors.As(sending, &undelivered):
		n.log.WarnContext(ctx, "message", append(attrs, obs.Outcome(obs.OutcomeFailed), obs.Err(sending))...)
		isRecorded, written = n.outbox.Failed(last, message, sending.Error(), undelivered.IsUnreachable())
	default:
		n.log.ErrorContext(ctx, "nobody knows whether the message arrived",
			append(attrs, obs.Outcome(obs.OutcomeFailed), obs.Err(sending))...)
	}
	if !isRecorded && written == nil {
		n.log.WarnContext(ctx, "the lease of a message ran out while it was being sent", attrs...)
	}
	if written != nil {
		return fmt.Errorf("message %d: %w", message.MessageID, written)
	}
	return nil
}

// notBegunError is the Undelivered of a message that was claimed and not sent, since the process is stopping.
type notBegunError struct{}

func (notBegunError) Error() string       { return errStopping.Error() }
func (notBegunError) IsUnreachable() bool { return false }
