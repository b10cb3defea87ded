package vpn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	callTimeout = 5 * time.Second
	listTimeout = 30 * time.Second // for the whole list of users
	dialTimeout = 3 * time.Second

	// defaultFailures calls in a row that find the node down make the client rest for defaultRest.
	defaultFailures = 3
	defaultRest     = 5 * time.Second

	maxReasonBytes = 200
)

// guard leaves a node alone for a moment that was down repeatedly.
type guard struct {
	breaker *gobreaker.CircuitBreaker[struct{}]
}

// Option changes a client.
type Option func(*breakerSettings)

type breakerSettings struct {
	failures int
	rest     time.Duration
}

// WithBreaker says after how many calls in a row that find the node down the client leaves it alone, and for how long.
func WithBreaker(failures int, rest time.Duration) Option {
	return func(s *breakerSettings) { s.failures, s.rest = failures, rest }
}

func newGuard(options []Option) guard {
	settings := breakerSettings{failures: defaultFailures, rest: defaultRest}
	for _, option := range options {
		option(&settings)
	}
	return guard{gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:         "vpn node",
		Timeout:      settings.rest,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return int64(c.ConsecutiveFailures) >= int64(settings.failures) },
		IsSuccessful: func(err error) bool { return !errors.Is(err, ErrDown) },
		IsExcluded:   func(err error) bool { return errors.Is(err, context.Canceled) }, // says nothing about the node
	})}
}

// do makes the call under a deadline, unless the node is resting.
func (g guard) do(ctx context.Context, timeout time.Duration, call func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := g.breaker.Execute(func() (struct{}, error) { return struct{}{}, call(ctx) })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return fmt.Errorf("%w: it failed repeatedly and is left alone for a moment", ErrDown)
	}
	return err
}

// unreachable is the error of a call that got no answer. When the caller has given up it says nothing about the node.
func unreachable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDown, err)
}

// clipped is a node's reason, short, and without the users' uuids that it may name.
func clipped(reason string, uuids ...string) string {
	for _, uuid := range uuids {
		if uuid != "" {
			reason = strings.ReplaceAll(reason, uuid, "(uuid)")
		}
	}
	return strings.ToValidUTF8(reason[:min(len(reason), maxReasonBytes)], "")
}
