package obs

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Outage tells of something that does not work once when that begins, or turns into something else, and once when it is
// over. The tries in between are logged for debugging only.
type Outage struct {
	log       *slog.Logger
	operation string

	mu       sync.Mutex
	what     string // what does not work; "" while it works
	since    time.Time
	failures int
}

// NewOutage makes one of an operation, which works so far.
func NewOutage(log *slog.Logger, operation string) *Outage {
	return &Outage{log: log, operation: operation}
}

// Failed notes a failure. What says in a few constant words what does not work.
func (o *Outage) Failed(ctx context.Context, what string, err error, attrs ...slog.Attr) {
	level, failures := o.count(what)
	o.log.LogAttrs(ctx, level, what, append([]slog.Attr{
		Operation(o.operation), Outcome(OutcomeFailed), Err(err), slog.Int("failures", failures),
	}, attrs...)...)
}

func (o *Outage) count(what string) (slog.Level, int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	level := slog.LevelDebug
	if o.what != what {
		level = slog.LevelWarn
	}
	if o.what == "" {
		o.since, o.failures = time.Now(), 0
	}
	o.what = what
	o.failures++
	return level, o.failures
}

// Over notes that it works.
func (o *Outage) Over(ctx context.Context) {
	o.mu.Lock()
	what, since, failures := o.what, o.since, o.failures
	o.what = ""
	o.mu.Unlock()
	if what != "" {
		o.log.LogAttrs(ctx, slog.LevelInfo, "works again", Operation(o.operation), Outcome(OutcomeOK), Took(since),
			slog.Int("failures", failures))
	}
}
