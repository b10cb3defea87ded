package worker

import "context"

// Due makes a job of a *_due function: it works off what is due and is fenced by the epoch.
func Due(function func(ctx context.Context, epoch *int64, limit int) (int, error)) Job {
	return func(ctx context.Context, batch Batch) (int, error) {
		return function(ctx, batch.Epoch, batch.Limit)
	}
}
