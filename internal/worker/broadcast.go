package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// Recipients is what the job needs of schema broadcast.
type Recipients interface {
	Claim(ctx context.Context, holder string, limit int, lease time.Duration) ([]sqlapi.BroadcastMessage, error)
	Sent(ctx context.Context, message sqlapi.BroadcastMessage) (bool, error)
	Failed(ctx context.Context, message sqlapi.BroadcastMessage, reason string, isUnreachable bool) (bool, error)
	Release(ctx context.Context, message sqlapi.BroadcastMessage, reason string, wait time.Duration) (bool, error)
}

// Herald sends broadcasts through the one rate-limited sender, after everything that somebody waits for.
type Herald interface {
	// AwaitTurn returns when one more message of a broadcast may go out.
	AwaitTurn(ctx context.Context) error
	// Proclaim sends it. Its errors are those of Messenger.Deliver.
	Proclaim(ctx context.Context, message sqlapi.BroadcastMessage) error
}

// Broadcast sends what broadcasts are running, in every worker. Somebody is claimed only when their message may go out at
// once: whoever is claimed when the process dies may have got it, and gets nothing more.
func Broadcast(recipients Recipients, herald Herald, log *slog.Logger) Job {
	c := crier{recipients: recipients, herald: herald, log: log}
	return c.work
}

type crier struct {
	recipients Recipients
	herald     Herald
	log        *slog.Logger
}

// work writes to people until nobody is left for now, the batch is full, Telegram says "later", or the time is over.
func (c crier) work(ctx context.Context, batch Batch) (int, error) {
	turns, cancel := context.WithTimeout(ctx, sendBefore)
	defer cancel()
	r := round{crier: c, batch: batch, end: cancel}
	// One goes ahead, so that nobody waits for a turn while there is no broadcast.
	first, err := r.claim(ctx)
	if err != nil || first == nil {
		return 0, err
	}
	var sending error = notBegunError{}
	if r.isMyTurn(turns) {
		sending = c.send(ctx, *first)
	}
	if isOn, err := r.conclude(ctx, *first, sending); !isOn {
		return int(r.done.Load()), err
	}
	group := errgroup.Group{}
	for range sendParallel {
		group.Go(func() error { return r.goOn(ctx, turns) })
	}
	err = group.Wait()
	return int(r.done.Load()), err
}

// round is one run of the job.
type round struct {
	crier

	batch Batch
	end   func() // nobody more is to be claimed
	done  atomic.Int64
}

// goOn writes to one person after another until turns ends.
func (r *round) goOn(ctx, turns context.Context) error {
	for isOn := true; isOn && r.isMyTurn(turns); {
		next, err := r.claim(ctx) // cut off with turns, it might mark somebody who then gets nothing
		if err != nil || next == nil {
			return err
		}
		var sending error = notBegunError{}
		if turns.Err() == nil {
			sending = r.send(ctx, *next)
		}
		if isOn, err = r.conclude(ctx, *next, sending); err != nil {
			return err
		}
	}
	return nil
}

// isMyTurn waits until one more message may go out. False: not before the end of this run.
func (r *round) isMyTurn(ctx context.Context) bool {
	return r.herald.AwaitTurn(ctx) == nil && !r.batch.IsStopping()
}

// claim marks one person. Nil: nobody is left for now.
func (r *round) claim(ctx context.Context) (*sqlapi.BroadcastMessage, error) {
	claimed, err := r.recipients.Claim(ctx, r.batch.Holder, 1, messageLease)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, nil //nolint:nilnil,nilerr // the run is over: whom it may have marked is closed as unknown
	case err != nil:
		return nil, fmt.Errorf("claiming somebody to write to: %w", err)
	case len(claimed) == 0:
		return nil, nil //nolint:nilnil // neither somebody nor a failure
	}
	return &claimed[0], nil
}

// conclude writes down how it went, and says whether to go on.
func (r *round) conclude(ctx context.Context, message sqlapi.BroadcastMessage, sending error) (isOn bool, err error) {
	isReleased, err := r.crier.conclude(ctx, message, sending)
	if isReleased {
		r.end() // it would be the same for the others
		return false, err
	}
	return r.done.Add(1) < int64(r.batch.Limit) && err == nil, err
}

func (c crier) send(ctx context.Context, message sqlapi.BroadcastMessage) error {
	ctx, cancel := context.WithTimeout(obs.WithTelegramID(ctx, int64(message.TelegramID)), sendBefore)
	defer cancel()
	return c.herald.Proclaim(ctx, message)
}

func (c crier) conclude(ctx context.Context, message sqlapi.BroadcastMessage, sending error) (isReleased bool, err error) {
	ctx = obs.WithTelegramID(ctx, int64(message.TelegramID))
	isReleased, err = attempt{
		sent: func(ctx context.Context) (bool, error) { return c.recipients.Sent(ctx, message) },
		failed: func(ctx context.Context, reason string, isUnreachable bool) (bool, error) {
			return c.recipients.Failed(ctx, message, reason, isUnreachable)
		},
		released: func(ctx context.Context, reason string, wait time.Duration) (bool, error) {
			return c.recipients.Release(ctx, message, reason, wait)
		},
	}.conclude(ctx, c.log, sending, obs.Operation("broadcast.send"), "broadcast_id", message.BroadcastID, "variant", message.Variant)
	if err != nil {
		return isReleased, fmt.Errorf("broadcast %d to %d: %w", message.BroadcastID, message.TelegramID, err)
	}
	return isReleased, nil
}
