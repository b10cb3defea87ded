package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"atlas-secure/internal/obs"
)

// attempt is one message on its way, and where it is written down how that ended. Each says false when the lease was lost.
type attempt struct {
	sent     func(ctx context.Context) (bool, error)
	failed   func(ctx context.Context, reason string, isUnreachable bool) (bool, error)
	released func(ctx context.Context, reason string, wait time.Duration) (bool, error)
}

// conclude writes down how sending ended, if anybody knows. It does so even when the time for sending is over.
func (a attempt) conclude(ctx context.Context, log *slog.Logger, sending error, attrs ...any) (isReleased bool, err error) {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	var undelivered Undelivered
	var postponed Postponed
	isRecorded := true
	switch {
	case sending == nil:
		log.InfoContext(ctx, "message", append(attrs, obs.Outcome(obs.OutcomeOK))...)
		isRecorded, err = a.sent(last)
	case errors.As(sending, &postponed):
		log.WarnContext(ctx, "message", append(attrs, obs.Outcome(obs.OutcomeRetried), obs.Err(sending))...)
		isReleased = true
		isRecorded, err = a.released(last, sending.Error(), postponed.Wait())
	case errors.As(sending, &undelivered):
		level := slog.LevelWarn
		if undelivered.IsUnreachable() {
			level = slog.LevelInfo // they have blocked the bot: nothing to look into
		}
		log.Log(ctx, level, "message", append(attrs, obs.Outcome(obs.OutcomeFailed), obs.Err(sending))...)
		isRecorded, err = a.failed(last, sending.Error(), undelivered.IsUnreachable())
	default:
		log.ErrorContext(ctx, "nobody knows whether the message arrived",
			append(attrs, obs.Outcome(obs.OutcomeFailed), obs.Err(sending))...)
	}
	if !isRecorded && err == nil {
		log.WarnContext(ctx, "the lease of a message ran out while it was being sent", attrs...)
	}
	return isReleased, err
}

// notBegunError is the Postponed of a message that was claimed and not sent, since the process is stopping or has no time
// left.
type notBegunError struct{}

func (notBegunError) Error() string       { return errStopping.Error() }
func (notBegunError) IsUnreachable() bool { return false }
func (notBegunError) Wait() time.Duration { return 0 }
