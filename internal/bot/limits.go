package bot

import (
	"context"
	"fmt"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/sqlapi"
)

// tooOftenError means that the person has to wait with what they wanted.
type tooOftenError struct {
	action limit.Action
	wait   time.Duration
	back   []screen.Button
}

func (e *tooOftenError) Error() string {
	return fmt.Sprintf("too often: %s, again in %s", e.action, e.wait)
}

// attempt counts one attempt at an action. A handler returns the error as it is: the person is told when to come back,
// under the buttons given here and the one to the menu.
func (b *Bot) attempt(ctx context.Context, r *request, action limit.Action, back ...screen.Button) error {
	wait, err := b.limits.Take(ctx, action, r.user)
	if err != nil {
		return err //nolint:wrapcheck // says what it was
	}
	if wait > 0 {
		return &tooOftenError{action: action, wait: wait, back: back}
	}
	return nil
}

// Counter lets the database count attempts.
func Counter(db *sqlapi.DB) limit.Counter { return counter{db} }

type counter struct{ db *sqlapi.DB }

// Rules implements limit.Counter.
func (c counter) Rules(ctx context.Context) (map[limit.Action]limit.Rule, error) {
	figures, err := c.db.Ops.RateLimits(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the limits: %w", err)
	}
	rules := make(map[limit.Action]limit.Rule, len(figures))
	for _, f := range figures {
		rules[limit.Action(f.Action)] = limit.Rule{
			Events: f.Attempts, Per: time.Duration(f.PerSeconds) * time.Second, Burst: f.Attempts,
		}
	}
	return rules, nil
}

// Take implements limit.Counter.
func (c counter) Take(ctx context.Context, action limit.Action, user atlas.TelegramID) (time.Duration, error) {
	return c.db.Ops.TakeAttempt(ctx, user, string(action)) //nolint:wrapcheck // the guard says what it was
}
