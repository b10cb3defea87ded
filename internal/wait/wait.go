// Package wait is about time that passes while a process may be told to stop.
package wait

import (
	"context"
	"math/rand/v2"
	"time"
)

// For waits, or less if ctx ends: then the error is why.
func For(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // nothing to add
	case <-timer.C:
		return nil
	}
}

// Jittered is something between half of d and d, by chance, so that many who wait do not come at once.
func Jittered(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1) //nolint:gosec // spreading, not secrecy
}

// Outliving gives a context that goes on for d after ctx has ended: for what is to be finished, if that does not take long.
func Outliving(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unlink := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return longer, func() {
		unlink()
		cancel()
	}
}
