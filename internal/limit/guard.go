package limit

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"atlas-secure/internal/atlas"
)

// Action is something that a person may do only so often, because it can be guessed, spams somebody, or costs money to
// refuse. How often is in the database (ops.rate_limits), and nowhere else.
type Action string

// The actions.
const (
	Promo      Action = "promo"      // trying a promo code
	Withdrawal Action = "withdrawal" // asking for a withdrawal
	Payment    Action = "payment"    // asking a provider for an invoice
	Trial      Action = "trial"
	Reissue    Action = "reissue"   // asking for a new key
	Corporate  Action = "corporate" // asking for corporate access, which every admin is told of
	Admin      Action = "admin"     // anything that an admin does to others
)

// Counter is the database, which counts for good.
type Counter interface {
	// Rules says how often each action may be done.
	Rules(ctx context.Context) (map[Action]Rule, error)
	// Take counts one attempt, or says how long to wait with it.
	Take(ctx context.Context, action Action, user atlas.TelegramID) (time.Duration, error)
}

// rulesTime is how long rules are used before they are read again. The database itself counts by the new ones at once.
const rulesTime = 15 * time.Second

// Guard counts attempts in Redis first, which keeps those away from the database who try on and on, and those that Redis
// lets pass in the database. So a Redis that is away, slow, full or emptied in the middle gives nobody a single attempt
// more, and a database that does not answer lets nobody pass.
type Guard struct {
	limiter *Limiter
	counter Counter

	mu     sync.Mutex
	rules  map[Action]Rule
	readAt time.Time
}

// NewGuard makes a guard.
func NewGuard(limiter *Limiter, counter Counter) *Guard {
	return &Guard{limiter: limiter, counter: counter}
}

// Take counts one attempt of a user; zero means that it may go on. Otherwise nothing happened, and so long it takes until
// the next one may. An error means that nothing could be counted, so that it may not go on either.
func (g *Guard) Take(ctx context.Context, action Action, user atlas.TelegramID) (time.Duration, error) {
	rule, err := g.rule(ctx, action)
	if err != nil {
		return 0, err
	}
	bucket := Bucket{Key: "{" + strconv.FormatInt(int64(user), 10) + "}:" + string(action), Rule: rule}
	if wait := g.limiter.Take(ctx, bucket); wait > 0 {
		return wait, nil
	}
	wait, err := g.counter.Take(ctx, action, user)
	if err != nil {
		return 0, fmt.Errorf("counting an attempt (%s): %w", action, err)
	}
	return wait, nil
}

func (g *Guard) rule(ctx context.Context, action Action) (Rule, error) {
	g.mu.Lock()
	rules, isFresh := g.rules, time.Since(g.readAt) < rulesTime
	g.mu.Unlock()
	if !isFresh {
		read, err := g.counter.Rules(ctx)
		if err != nil && rules == nil {
			return Rule{}, fmt.Errorf("reading the limits: %w", err)
		}
		if err == nil {
			rules = read
		}
		g.mu.Lock()
		g.rules, g.readAt = rules, time.Now()
		g.mu.Unlock()
	}
	rule, isKnown := rules[action]
	if !isKnown {
		return Rule{}, fmt.Errorf("the database has no limit for %q", action)
	}
	return rule, nil
}
