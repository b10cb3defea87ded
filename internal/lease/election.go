package lease

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"atlas-secure/internal/obs"
	"atlas-secure/internal/wait"
)

// Authority is what an election needs of schema ops.
type Authority interface {
	AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (*int64, error)
	ReleaseLease(ctx context.Context, name, holder string) (bool, error)
}

// Election is about one leadership, seen from one process.
type Election struct {
	Name   string
	Holder string
	// TTL is how long a leader may be silent. It renews four times as often, and who waits asks six times as often: a
	// leader that dies is followed within one and a half of it.
	TTL       time.Duration
	Authority Authority
	Filter    *Filter // nil: Postgres alone
	Log       *slog.Logger
}

// releaseTime bounds giving a lease up.
const releaseTime = 5 * time.Second

// Run leads whenever it is this process's turn, until ctx ends. lead gets a context that ends with the term.
func (e *Election) Run(ctx context.Context, lead func(ctx context.Context, term *Term)) {
	asking := obs.NewOutage(e.Log, e.Name)
	for ctx.Err() == nil {
		if e.Filter.Passes(ctx, e.Name, e.TTL) {
			if term := e.stand(ctx, asking); term != nil {
				e.serve(ctx, term, lead)
			}
		}
		_ = wait.For(ctx, wait.Jittered(e.TTL/6))
	}
}

// stand asks for the lease; nil if somebody else has it, or nobody says.
func (e *Election) stand(ctx context.Context, asking *obs.Outage) *Term {
	term := &Term{election: e}
	epoch, err := term.renew(ctx, e.TTL)
	if err != nil {
		if ctx.Err() == nil {
			asking.Failed(ctx, "could not ask for a lease", err)
		}
		return nil
	}
	asking.Over(ctx)
	if epoch == nil {
		return nil
	}
	term.Epoch = *epoch
	return term
}

// serve leads until the term or ctx ends, and gives the lease up.
func (e *Election) serve(ctx context.Context, term *Term, lead func(ctx context.Context, term *Term)) {
	e.Log.InfoContext(ctx, "leading", obs.Operation(e.Name), slog.Int64("epoch", term.Epoch))
	led, lose := context.WithCancel(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		defer lose()
		term.keep(led)
	}()
	lead(led, term)
	lose()
	<-kept
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	if _, err := e.Authority.ReleaseLease(last, e.Name, e.Holder); err != nil {
		e.Log.WarnContext(last, "could not give a lease up", obs.Operation(e.Name), obs.Err(err))
	}
	e.Filter.Leave(last, e.Name)
	e.Log.InfoContext(last, "no longer leading", obs.Operation(e.Name), slog.Int64("epoch", term.Epoch))
}

// Term is one leadership of this process.
type Term struct {
	Epoch    int64
	election *Election

	mu    sync.Mutex
	until time.Time
}

// IsMine says whether nobody else can have the lease yet, by this machine's clock. Whoever was paused learns it here
// before anybody else tells.
func (t *Term) IsMine() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Now().Before(t.until)
}

// Confirm asks Postgres now whether the term goes on, and says so.
func (t *Term) Confirm(ctx context.Context) bool {
	epoch, err := t.renew(ctx, t.election.TTL)
	if err != nil {
		return t.IsMine()
	}
	return t.goesOn(epoch)
}

func (t *Term) goesOn(epoch *int64) bool {
	if epoch != nil && *epoch == t.Epoch {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.until = time.Time{}
	return false
}

// renew asks for the lease, for at most the time given.
func (t *Term) renew(ctx context.Context, patience time.Duration) (*int64, error) {
	e := t.election
	asked := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	epoch, err := e.Authority.AcquireLease(ctx, e.Name, e.Holder, e.TTL)
	if err != nil {
		return nil, err //nolint:wrapcheck // logged or judged by the caller
	}
	if epoch != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		if until := asked.Add(e.TTL); until.After(t.until) {
			t.until = until
		}
	}
	return epoch, nil
}

// keep renews the lease until ctx ends, somebody else has it, or it has run out unrenewed. Nothing of Redis ends a term.
func (t *Term) keep(ctx context.Context) {
	e := t.election
	renewing := obs.NewOutage(e.Log, e.Name)
	for {
		// No longer than the lease, whatever the last question took.
		if wait.For(ctx, min(e.TTL/4, t.left())) != nil {
			return
		}
		if !t.IsMine() {
			e.Log.WarnContext(ctx, "a lease ran out", obs.Operation(e.Name), slog.Int64("epoch", t.Epoch))
			return
		}
		epoch, err := t.renew(ctx, t.left())
		switch {
		case err == nil && !t.goesOn(epoch):
			e.Log.WarnContext(ctx, "a lease is lost", obs.Operation(e.Name), slog.Int64("epoch", t.Epoch))
			return
		case err == nil:
			renewing.Over(ctx)
			e.Filter.Passes(ctx, e.Name, e.TTL) // those in line need not ask Postgres
		case ctx.Err() == nil:
			renewing.Failed(ctx, "could not renew a lease", err)
		}
	}
}

func (t *Term) left() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Until(t.until)
}
