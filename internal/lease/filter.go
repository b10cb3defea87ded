package lease

import (
	"context"
	"errors"
	"time"

	"github.com/go-redsync/redsync/v4"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	"github.com/redis/go-redis/v9"

	"atlas-secure/internal/redisdb"
)

// Filter is the first question of who would lead: is somebody else in line already?
type Filter struct {
	locks    *redsync.Redsync
	prefix   string
	holder   string
	patience *redisdb.Patience
}

// Option changes a Filter.
type Option func(*Filter)

// WithPatience waits so long for Redis, in place of the default.
func WithPatience(d time.Duration) Option { return Sharing(redisdb.PatienceOf(d)) }

// Sharing waits for Redis together with others who ask it, so that what one of them has learned about it counts for all.
func Sharing(p *redisdb.Patience) Option { return func(f *Filter) { f.patience = p } }

// NewFilter makes the filter of a process. Its keys begin with prefix; holder is the name that the process has in leases.
func NewFilter(client redis.UniversalClient, prefix, holder string, options ...Option) *Filter {
	f := &Filter{
		locks: redsync.New(goredis.NewPool(client)), prefix: prefix + "lease:", holder: holder,
		patience: redisdb.PatienceOf(redisdb.DefaultPatience),
	}
	for _, option := range options {
		option(f)
	}
	return f
}

// Passes says whether this process may ask Postgres for the lease of a name: it holds the name's key in Redis, for another
// ttl, or Redis does not say. A nil Filter lets everybody pass. Who leads already need not ask.
func (f *Filter) Passes(ctx context.Context, name string, ttl time.Duration) bool {
	if f == nil {
		return true
	}
	isMine, err := redisdb.Ask(ctx, f.patience, func(ctx context.Context) (bool, error) {
		_, err := f.key(name, ttl).ExtendContext(ctx)
		var taken *redsync.ErrTaken
		if errors.As(err, &taken) {
			return false, nil
		}
		return true, err
	})
	return isMine || err != nil
}

// Leave gives the key up, so that the next one need not wait for its end.
func (f *Filter) Leave(ctx context.Context, name string) {
	if f == nil {
		return
	}
	// Without an answer the key ends by itself.
	_, _ = redisdb.Ask(ctx, f.patience, func(ctx context.Context) (bool, error) {
		_, err := f.key(name, 0).UnlockContext(ctx)
		var taken *redsync.ErrTaken
		if errors.As(err, &taken) || errors.Is(err, redsync.ErrLockAlreadyExpired) {
			return true, nil
		}
		return true, err
	})
}

// key is the lock as this process sees it. Extending one takes it where it is free.
func (f *Filter) key(name string, ttl time.Duration) *redsync.Mutex {
	return f.locks.NewMutex(f.prefix+name, redsync.WithValue(f.holder), redsync.WithExpiry(ttl), redsync.WithSetNXOnExtend())
}
