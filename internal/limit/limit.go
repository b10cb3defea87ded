// Package limit holds token buckets shared by every process through Redis: one round trip takes from several
// buckets at once, all or nothing. While Redis does not answer, each process counts alone by the same rules, so a
// limit is at worst multiplied by the number of processes and never gone.
package limit

import (
	"context"
	_ "embed"
	"time"

	"github.com/redis/go-redis/v9"

	"atlas-secure/internal/redisdb"
)

//go:embed take.lua
var takeSource string

var (
	takeScript = redis.NewScript(takeSource)
	// shutScript closes a gate for ARGV[1] milliseconds, unless it stays closed longer anyway.
	shutScript = redis.NewScript(`
local clock = redis.call('TIME')
local till = tonumber(clock[1]) * 1000000 + tonumber(clock[2]) + tonumber(ARGV[1]) * 1000
if till > tonumber(redis.call('GET', KEYS[1]) or 0) then
  redis.call('SET', KEYS[1], string.format('%.0f', till), 'PX', ARGV[1])
end
return 0`)
)

// Rule is the size of a bucket: Events in each Per, of which Burst may come at once.
type Rule struct {
	Events int
	Per    time.Duration
	Burst  int
}

// every is the time in which one token grows back.
func (r Rule) every() time.Duration { return r.Per / time.Duration(r.Events) }

// Bucket is one limit for one subject. Keys taken together need one hash tag (`{…}`) in common, so that a Redis
// cluster keeps them on one node.
type Bucket struct {
	Key  string
	Rule Rule
}

// Gate is a bucket that is not filled but closed for a while by Close; taking it costs nothing.
func Gate(key string) Bucket { return Bucket{Key: key} }

func (b Bucket) isGate() bool { return b.Rule.Events == 0 }

// Limiter takes from buckets.
type Limiter struct {
	redis    redis.UniversalClient
	prefix   string
	patience *redisdb.Patience
	alone    *alone
}

// Option changes a Limiter.
type Option func(*Limiter)

// WithPatience waits so long for Redis, in place of the default.
func WithPatience(d time.Duration) Option { return Sharing(redisdb.PatienceOf(d)) }

// Sharing waits for Redis together with others who ask it, so that what one of them has learned about it counts for all.
func Sharing(p *redisdb.Patience) Option { return func(l *Limiter) { l.patience = p } }

// New returns a limiter whose keys in Redis begin with prefix. A nil client counts in this process alone.
func New(client redis.UniversalClient, prefix string, options ...Option) *Limiter {
	l := &Limiter{redis: client, prefix: prefix, patience: redisdb.PatienceOf(redisdb.DefaultPatience), alone: newAlone(time.Now)}
	for _, option := range options {
		option(l)
	}
	return l
}

// Take takes one token from each bucket, or none at all, and then says how long to wait before asking again.
// Zero means taken.
func (l *Limiter) Take(ctx context.Context, buckets ...Bucket) time.Duration {
	if wait := l.alone.closedFor(buckets); wait > 0 {
		return wait
	}
	if l.redis != nil {
		wait, err := redisdb.Ask(ctx, l.patience, func(ctx context.Context) (time.Duration, error) { return l.ask(ctx, buckets) })
		if err == nil {
			return wait
		}
	}
	return l.alone.take(buckets)
}

// Close shuts a gate for a time, in every process. It never opens one earlier than it would open anyway.
func (l *Limiter) Close(ctx context.Context, gate Bucket, d time.Duration) {
	if d <= 0 {
		return
	}
	l.alone.shut(gate.Key, d)
	if l.redis == nil {
		return
	}
	// This process keeps to it in any case.
	_, _ = redisdb.Ask(context.WithoutCancel(ctx), l.patience, func(ctx context.Context) (any, error) {
		return nil, shutScript.Run(ctx, l.redis, []string{l.prefix + gate.Key}, d.Milliseconds()).Err()
	})
}

func (l *Limiter) ask(ctx context.Context, buckets []Bucket) (time.Duration, error) {
	keys := make([]string, 0, len(buckets))
	args := make([]any, 0, 2*len(buckets))
	for _, b := range buckets {
		keys = append(keys, l.prefix+b.Key)
		if b.isGate() {
			args = append(args, 0, 0)
			continue
		}
		args = append(args, b.Rule.every().Microseconds(), b.Rule.Burst)
	}
	micros, err := takeScript.Run(ctx, l.redis, keys, args...).Int64()
	return time.Duration(micros) * time.Microsecond, err
}
