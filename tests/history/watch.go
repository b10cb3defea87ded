package history

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Watcher looks at the books again and again while others change them: each look is one REPEATABLE READ snapshot, in
// which the sums must be right at any moment of any load.
type Watcher struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu         sync.Mutex
	looks      int
	failures   int
	last       error
	violations []Violation
}

// pace is the shortest pause between two looks; a look that takes longer is followed by a pause of its own length.
const pace = 50 * time.Millisecond

// Watch begins to look. A look that the server does not survive is none, and the next one is tried.
func Watch(ctx context.Context, owner Beginner) *Watcher {
	ctx, cancel := context.WithCancel(ctx)
	w := &Watcher{cancel: cancel}
	w.done.Go(func() {
		for ctx.Err() == nil {
			began := time.Now()
			found, err := collect(ctx, owner, invariantsSQL, reconcileSQL)
			w.note(found, err)
			timer := time.NewTimer(max(pace, time.Since(began)))
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
			}
		}
	})
	return w
}

// worst is how many violations are kept: what is wrong once is found by every look after it.
const worst = 50

func (w *Watcher) note(found []Violation, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.failures++
		if !errors.Is(err, context.Canceled) {
			w.last = err
		}
		return
	}
	w.looks++
	if len(w.violations) < worst {
		w.violations = append(w.violations, found...)
	}
}

// Looks is how many snapshots were taken so far.
func (w *Watcher) Looks() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.looks
}

// Stop ends the looking. It gives the number of snapshots and what was wrong in them; none at all is a violation.
func (w *Watcher) Stop() (looks int, violations []Violation) {
	w.cancel()
	w.done.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	violations = w.violations
	if w.looks == 0 {
		why := "nobody looked"
		if w.last != nil {
			why = w.last.Error()
		}
		violations = append(violations, Violation{"snapshots", "the run", "no snapshot was taken: " + why})
	}
	return w.looks, violations
}

// invariantsSQL says what ops.reconcile says, in other words: money is conserved, nobody has less than nothing, and
// versions have no gap.
const invariantsSQL = `
with legs as (
  select t.telegram_id, count(*) as n, max(t.version) as last, sum(a.amount) as amount
  from ledger.transfer t
  cross join lateral (
    select t.amount_kopecks * ((t.credit_account in ('available', 'held', 'debt'))::int
                               - (t.debit_account in ('available', 'held', 'debt'))::int) as amount) a
  group by t.telegram_id
)
select 'snapshot: conserved', 'telegram_id:' || w.telegram_id,
       format('has %s, %s, %s, the ledger gave %s', w.available_kopecks, w.held_kopecks, w.debt_kopecks, l.amount)
from wallet.wallet w
left join legs l on l.telegram_id = w.telegram_id
where w.available_kopecks + w.held_kopecks - w.debt_kopecks <> coalesce(l.amount, 0)
union all
select 'snapshot: not_negative', 'telegram_id:' || w.telegram_id,
       format('%s, %s, %s', w.available_kopecks, w.held_kopecks, w.debt_kopecks)
from wallet.wallet w
where least(w.available_kopecks, w.held_kopecks, w.debt_kopecks) < 0
union all
select 'snapshot: chained', 'telegram_id:' || w.telegram_id,
       format('version %s, %s ledger rows, the last is %s', w.version, l.n, l.last)
from wallet.wallet w
left join legs l on l.telegram_id = w.telegram_id
where w.version <> coalesce(l.n, 0) or w.version <> coalesce(l.last, 0)`
