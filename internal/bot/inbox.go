package bot

import (
	"context"
	"sync"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/redisdb"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/wait"
)

const (
	// claimLease is how long this process may keep an update; after a crash it takes so long until another has it.
	claimLease = 30 * time.Second
	// handleTime bounds the work on one update: shorter than the lease, so that two processes never work on one.
	handleTime = 25 * time.Second
	// lookEvery is how often the inbox is looked at while nothing says that there is something in it.
	lookEvery = 250 * time.Millisecond
	// settleTime bounds the last words about an update: that it is done, or that it failed.
	settleTime = 5 * time.Second
	// exchangeEvery is the least time between two calls that end handled updates and claim new ones: in a crowd each call
	// does so for several.
	exchangeEvery = 3 * time.Millisecond
	// outageDelay is how long to leave a database alone that did not answer.
	outageDelay = time.Second
)

// workInbox hands updates out to a bounded number of hands until ctx ends, then waits for the hands.
func (b *Bot) workInbox(ctx context.Context) error {
	handsCtx, letGo := wait.Outliving(ctx, b.Grace)
	defer letGo()
	free := make(chan struct{}, b.Hands)
	for range b.Hands {
		free <- struct{}{}
	}
	var hands sync.WaitGroup
	var last time.Time
	for ctx.Err() == nil {
		if early := exchangeEvery - time.Since(last); early > 0 {
			_ = wait.For(ctx, early)
		}
		count := takeFree(ctx, free)
		last = time.Now()
		updates := b.exchange(ctx, count)
		if ctx.Err() != nil {
			break // what it has just claimed is given back, not begun
		}
		for range count - len(updates) {
			free <- struct{}{}
		}
		for _, update := range updates {
			hands.Go(func() {
				defer b.wake() // the chat's next update may be claimed now
				defer func() { free <- struct{}{} }()
				b.work(handsCtx, update)
			})
		}
		if len(updates) < count {
			b.waitForWork(ctx)
		}
	}
	hands.Wait()
	b.giveBack(ctx)
	return nil
}

// ended has the updates that were handled, until the inbox knows.
type ended struct {
	mu      sync.Mutex
	updates []sqlapi.ClaimedUpdate
}

func (e *ended) add(updates ...sqlapi.ClaimedUpdate) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.updates = append(e.updates, updates...)
}

func (e *ended) take() []sqlapi.ClaimedUpdate {
	e.mu.Lock()
	defer e.mu.Unlock()
	updates := e.updates
	e.updates = nil
	return updates
}

// takeFree takes all hands that are free, waiting for the first; none when ctx ends.
func takeFree(ctx context.Context, free chan struct{}) int {
	select {
	case <-ctx.Done():
		return 0
	case <-free:
	}
	for count := 1; ; count++ {
		select {
		case <-free:
		default:
			return count
		}
	}
}

// exchange tells the inbox what was handled, and claims up to count updates. What it could not tell is told with the next
// call; should there be none, the leases run out and it is handled once more, which changes nothing that is already so.
func (b *Bot) exchange(ctx context.Context, count int) []sqlapi.ClaimedUpdate {
	if count == 0 {
		return nil
	}
	// Cut off at the end, it might be committed after everything has been given back.
	whole, cancel := wait.Outliving(ctx, settleTime)
	defer cancel()
	done := b.ended.take()
	updates, err := b.DB.Inbox.Exchange(whole, b.Holder, done, count, claimLease)
	if err != nil {
		b.ended.add(done...)
	}
	switch {
	case err == nil:
		b.outages.inbox.Over(ctx)
	case ctx.Err() == nil:
		b.outages.inbox.Failed(ctx, "could not look into the inbox", err)
		_ = wait.For(ctx, outageDelay)
	}
	return updates
}

func (b *Bot) waitForWork(ctx context.Context) {
	timer := time.NewTimer(lookEvery)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-b.nudge:
	}
}

// work handles an update and notes how that ended. When the process has to stop before the end, it records nothing:
// the update is given back as it was.
func (b *Bot) work(ctx context.Context, update sqlapi.ClaimedUpdate) {
	started := time.Now()
	ctx = obs.WithCorrelationID(ctx, update.CorrelationID())
	if atlas.TelegramID(update.ChatID).IsValid() { // a private chat has the person's number
		ctx = obs.WithTelegramID(ctx, update.ChatID)
	}
	bounded, cancel := context.WithTimeout(redisdb.Together(ctx), handleTime)
	operation, err := b.handle(bounded, update)
	cancel()
	if ctx.Err() != nil {
		return
	}
	outcome := obs.OutcomeOK
	if err != nil {
		last, cancel := context.WithTimeout(ctx, settleTime)
		defer cancel()
		outcome = b.recordFailure(last, update, operation, err)
	}
	b.metrics.handled(operation, outcome, time.Since(started))
	if err == nil {
		b.ended.add(update)
	}
	b.Log.InfoContext(ctx, "update", obs.Operation(operation), obs.Outcome(outcome), obs.Took(started))
}

func (b *Bot) recordFailure(ctx context.Context, update sqlapi.ClaimedUpdate, operation string, err error) string {
	b.Log.WarnContext(ctx, "could not handle an update", obs.Operation(operation), "attempt", update.Attempt, obs.Err(err))
	failed, recordErr := b.DB.Inbox.Failed(ctx, update, err.Error())
	switch {
	case recordErr != nil:
		b.Log.WarnContext(ctx, "could not record that an update failed", obs.Operation(operation), obs.Err(recordErr))
		return obs.OutcomeRetried
	case failed.WillRetry:
		return obs.OutcomeRetried
	default:
		b.Log.ErrorContext(ctx, "gave up on an update", obs.Operation(operation), obs.Outcome(obs.OutcomeFailed), obs.Err(err))
		return obs.OutcomeFailed
	}
}

// giveBack returns what was claimed and not finished, so that others need not wait for the leases to run out.
func (b *Bot) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if done := b.ended.take(); len(done) > 0 {
		if _, err := b.DB.Inbox.Exchange(ctx, b.Holder, done, 0, claimLease); err != nil {
			b.Log.WarnContext(ctx, "could not record that updates are done", obs.Operation("give_back"), obs.Err(err))
			return // given back, they would be handled again at once
		}
	}
	count, err := b.DB.Inbox.GiveBack(ctx, b.Holder)
	if err != nil {
		b.Log.WarnContext(ctx, "could not give updates back", obs.Operation("give_back"), obs.Err(err))
		return
	}
	b.Log.InfoContext(ctx, "stopped working the inbox", obs.Operation("give_back"), "given_back", count)
}
