package limit

import (
	"sync"
	"time"
)

// sweepAbove is the number of remembered buckets above which full ones are forgotten.
const sweepAbove = 4096

// alone counts in this process only: the same algorithm as take.lua.
type alone struct {
	mu     sync.Mutex
	now    func() time.Time
	fullAt map[string]time.Time
	shutTo map[string]time.Time
}

func newAlone(now func() time.Time) *alone {
	return &alone{now: now, fullAt: map[string]time.Time{}, shutTo: map[string]time.Time{}}
}

func (a *alone) shut(key string, d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if until := a.now().Add(d); until.After(a.shutTo[key]) {
		a.shutTo[key] = until
	}
}

// closedFor is the longest time for which one of the gates among the buckets stays shut.
func (a *alone) closedFor(buckets []Bucket) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	var wait time.Duration
	for _, b := range buckets {
		if b.isGate() {
			wait = max(wait, a.shutTo[b.Key].Sub(now))
		}
	}
	return wait
}

func (a *alone) take(buckets []Bucket) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if len(a.fullAt) > sweepAbove {
		a.sweep(now)
	}
	var wait time.Duration
	next := make(map[string]time.Time, len(buckets))
	for _, b := range buckets {
		if b.isGate() {
			continue
		}
		at := a.fullAt[b.Key]
		if at.Before(now) {
			at = now
		}
		next[b.Key] = at.Add(b.Rule.every())
		wait = max(wait, next[b.Key].Sub(now)-time.Duration(b.Rule.Burst)*b.Rule.every())
	}
	if wait > 0 {
		return wait
	}
	for key, at := range next {
		a.fullAt[key] = at
	}
	return 0
}

func (a *alone) sweep(now time.Time) {
	for key, at := range a.fullAt {
		if at.Before(now) {
			delete(a.fullAt, key)
		}
	}
	for key, at := range a.shutTo {
		if at.Before(now) {
			delete(a.shutTo, key)
		}
	}
}
