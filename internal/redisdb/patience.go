package redisdb

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"
)

// ErrImpatient means that Redis was not asked: it has been slow or away just now, or whatever is worked on has waited for it
// long enough.
var ErrImpatient = errors.New("redis is not waited for")

// PatienceOptions says how much Redis is waited for. Zero values take the defaults.
type PatienceOptions struct {
	Limit    time.Duration // for one question, and for all questions about one update; default DefaultPatience
	Failures int           // in a row, after which Redis is left alone for Rest; default 3
	Rest     time.Duration // default one second
	// Registerer takes the metrics; nil for none.
	Registerer prometheus.Registerer
}

// The defaults.
const (
	DefaultPatience = 300 * time.Millisecond
	defaultFailures = 3
	defaultRest     = time.Second
)

// Patience is shared by all who ask one Redis. A slow Redis must not become a slow bot: each question has a limit, so
// has the sum of questions about one update (see Together), and after some that failed nobody asks for a while.
type Patience struct {
	limit   time.Duration
	breaker *gobreaker.CircuitBreaker[any]
	waited  *prometheus.HistogramVec // nil without a registerer
}

// PatienceOf makes a patience with a limit, and otherwise the defaults.
func PatienceOf(limit time.Duration) *Patience { return newPatience(PatienceOptions{Limit: limit}) }

// NewPatience makes a patience. Its error is one of registering metrics.
func NewPatience(o PatienceOptions) (*Patience, error) {
	p := newPatience(o)
	return p, p.register(o.Registerer)
}

func newPatience(o PatienceOptions) *Patience {
	if o.Limit <= 0 {
		o.Limit = DefaultPatience
	}
	if o.Failures <= 0 {
		o.Failures = defaultFailures
	}
	if o.Rest <= 0 {
		o.Rest = defaultRest
	}
	return &Patience{limit: o.Limit, breaker: gobreaker.NewCircuitBreaker[any](gobreaker.Settings{
		Name:        "redis",
		Timeout:     o.Rest,
		ReadyToTrip: func(c gobreaker.Counts) bool { return int64(c.ConsecutiveFailures) >= int64(o.Failures) },
		IsSuccessful: func(err error) bool {
			return err == nil || errors.Is(err, redis.Nil)
		},
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) }, // says nothing about Redis
	})}
}

func (p *Patience) register(registerer prometheus.Registerer) error {
	if registerer == nil {
		return nil
	}
	p.waited = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "atlas_redis_wait_seconds", Help: "How long questions to Redis took, by their outcome.",
		Buckets: []float64{.001, .003, .01, .03, .1, .3, 1},
	}, []string{"outcome"})
	isResting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "atlas_redis_resting", Help: "1 while Redis is left alone, because it did not answer.",
	}, func() float64 {
		if p.breaker.State() == gobreaker.StateOpen {
			return 1
		}
		return 0
	})
	for _, each := range []prometheus.Collector{p.waited, isResting} {
		if err := registerer.Register(each); err != nil {
			return fmt.Errorf("redis: metrics: %w", err)
		}
	}
	return nil
}

type spentKey struct{}

// Together makes a context whose questions share one limit: what is asked for one update.
func Together(ctx context.Context) context.Context {
	return context.WithValue(ctx, spentKey{}, new(atomic.Int64))
}

// Ask puts a question to Redis with patience. An error that wraps ErrImpatient means that it was not even asked.
func Ask[T any](ctx context.Context, p *Patience, question func(ctx context.Context) (T, error)) (T, error) {
	var none T
	left := p.limit
	spent, isTogether := ctx.Value(spentKey{}).(*atomic.Int64)
	if isTogether {
		if left -= time.Duration(spent.Load()); left <= 0 {
			return none, fmt.Errorf("%w: this update has waited long enough", ErrImpatient)
		}
	}
	answer, err := p.breaker.Execute(func() (any, error) {
		asked := time.Now()
		ctx, cancel := context.WithTimeout(ctx, left)
		defer cancel()
		answer, err := question(ctx)
		took := time.Since(asked)
		if isTogether {
			spent.Add(int64(took))
		}
		p.observe(took, err)
		return answer, err
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return none, fmt.Errorf("%w: %w", ErrImpatient, err)
	}
	if err != nil {
		return none, err
	}
	typed, _ := answer.(T)
	return typed, nil
}

func (p *Patience) observe(took time.Duration, err error) {
	if p.waited == nil {
		return
	}
	outcome := "answered"
	if err != nil && !errors.Is(err, redis.Nil) {
		outcome = "failed"
	}
	p.waited.WithLabelValues(outcome).Observe(took.Seconds())
}
