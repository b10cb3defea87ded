package lease_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/lease"
	"atlas-secure/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

const ttl = 3 * time.Second

// filters are those of several processes, and their Redis.
func filters(t *testing.T, count int) (*miniredis.Miniredis, []*lease.Filter) {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, DialTimeout: time.Minute, ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = client.Close() })
	var all []*lease.Filter
	for i := range count {
		all = append(all, lease.NewFilter(client, "t:", fmt.Sprint("p", i), lease.WithPatience(time.Minute)))
	}
	return server, all
}

func passing(t *testing.T, all []*lease.Filter) []int {
	t.Helper()
	var pass []int
	for i, f := range all {
		if f.Passes(t.Context(), "job", ttl) {
			pass = append(pass, i)
		}
	}
	return pass
}

func TestOneIsNextInLine(t *testing.T) {
	t.Parallel()
	server, all := filters(t, 10)
	require.Equal(t, []int{0}, passing(t, all))
	server.FastForward(ttl - time.Second)
	require.Equal(t, []int{0}, passing(t, all), "and stays it")
	server.FastForward(ttl - time.Second)
	require.Equal(t, []int{0}, passing(t, all), "each time for longer")
	require.True(t, all[3].Passes(t.Context(), "other job", ttl), "each name has a line of its own")

	all[0].Leave(t.Context(), "job")
	require.True(t, all[1].Passes(t.Context(), "job", ttl), "nobody waits for the end of a key that was given up")
	all[0].Leave(t.Context(), "job")
	require.Equal(t, []int{1}, passing(t, all), "only its own key is given up")
	server.FastForward(ttl + time.Second)
	require.True(t, all[5].Passes(t.Context(), "job", ttl), "who dies is followed when the key ends")
	require.Equal(t, []int{5}, passing(t, all))
}

func TestRedisThatDoesNotSayLetsEverybodyAsk(t *testing.T) {
	t.Parallel()
	server, all := filters(t, 3)
	require.Equal(t, []int{0}, passing(t, all))
	server.FlushAll()
	require.True(t, all[1].Passes(t.Context(), "job", ttl), "the key was lost")
	server.SetError("LOADING Redis is loading the dataset in memory")
	for range 5 { // the breaker opens on the way
		require.Equal(t, []int{0, 1, 2}, passing(t, all))
	}
	all[0].Leave(t.Context(), "job")
	require.True(t, (*lease.Filter)(nil).Passes(t.Context(), "job", ttl), "without Redis there is no line")
}

func TestASlowRedisCostsLittle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
		defer func() { require.NoError(t, client.Close()) }()
		client.AddHook(silent{})
		filter := lease.NewFilter(client, "t:", "p")
		started := time.Now()
		for range 100 {
			require.True(t, filter.Passes(t.Context(), "job", ttl))
		}
		require.Less(t, time.Since(started), time.Second, "a few questions, and then the breaker")
	})
}

// silent is a Redis that takes questions and answers none.
type silent struct{}

func (silent) DialHook(next redis.DialHook) redis.DialHook { return next }

func (silent) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, _ redis.Cmder) error {
		<-ctx.Done()
		return ctx.Err()
	}
}

func (silent) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// table is ops.lease, by the same rules, with the bubble's clock.
type table struct {
	mu      sync.Mutex
	holder  string
	epoch   int64
	expires time.Time
	asked   map[string]int
	dead    map[string]bool // whose questions do not arrive
	silent  map[string]bool // whose questions change nothing, and get no answer
	slow    time.Duration   // how long answers are on their way
}

var errGone = errors.New("no connection")

func (l *table) AcquireLease(ctx context.Context, _, holder string, ttl time.Duration) (*int64, error) {
	epoch, err := l.acquire(holder, ttl)
	l.mu.Lock()
	isSilent, slow := l.silent[holder], l.slow
	l.mu.Unlock()
	if isSilent {
		<-ctx.Done()
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(slow):
		return epoch, err
	}
}

func (l *table) acquire(holder string, ttl time.Duration) (*int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead[holder] || l.silent[holder] {
		return nil, errGone
	}
	l.asked[holder]++
	switch now := time.Now(); {
	case !l.expires.After(now):
		l.epoch++
	case l.holder != holder:
		return nil, nil //nolint:nilnil // as the function answers
	}
	l.holder, l.expires = holder, time.Now().Add(ttl)
	epoch := l.epoch
	return &epoch, nil
}

func (l *table) ReleaseLease(ctx context.Context, _, holder string) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead[holder] || l.silent[holder] || l.holder != holder {
		return false, nil
	}
	l.holder, l.expires = "", time.Time{}
	return true, nil
}

func (l *table) cut(holder string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead[holder] = true
}

// diary is who led when.
type diary struct {
	mu     sync.Mutex
	leads  string
	since  time.Time
	ended  time.Time
	epochs []int64
	both   bool
}

func (d *diary) lead(holder string) func(ctx context.Context, term *lease.Term) {
	return func(ctx context.Context, term *lease.Term) {
		d.mu.Lock()
		d.both = d.both || d.leads != ""
		d.leads, d.since = holder, time.Now()
		d.epochs = append(d.epochs, term.Epoch)
		d.mu.Unlock()
		<-ctx.Done()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.leads, d.ended = "", time.Now()
	}
}

func (d *diary) leader() (string, time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.leads, d.since
}

// TestALeaderThatIsCutOffIsFollowed cuts one leader after the other off from Postgres. Each ends its term by itself before
// the next one's begins, which is within one and a half of the lease's time.
func TestALeaderThatIsCutOffIsFollowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		leases := newTable()
		d := &diary{}
		ctx, stop := context.WithCancel(t.Context())
		var processes sync.WaitGroup
		for i := range 4 {
			name := fmt.Sprint("p", i)
			e := leases.election(name)
			processes.Go(func() { e.Run(ctx, d.lead(name)) })
		}
		for round := range 3 {
			time.Sleep(10 * ttl) // nobody else leads while the leader lives
			synctest.Wait()
			first, _ := d.leader()
			require.NotEmpty(t, first)
			require.Len(t, d.epochs, round+1)
			cut := time.Now()
			leases.cut(first)
			for {
				time.Sleep(10 * time.Millisecond)
				synctest.Wait()
				if next, since := d.leader(); next != "" && next != first {
					require.Less(t, since.Sub(cut), ttl*3/2)
					break
				}
				require.Less(t, time.Since(cut), 2*ttl, "nobody follows")
			}
		}
		require.Equal(t, []int64{1, 2, 3, 4}, d.epochs)
		require.False(t, d.both, "never two at once")
		stop()
		processes.Wait()
		require.Empty(t, leases.holder, "the last one gives it up")
	})
}

// TestATermThatWasTakenEndsAtOnce: another process has the lease although this one's time is not over (somebody has
// released it by hand). Asked, or at the next renewal, the term is over.
func TestATermThatWasTakenEndsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		leases := newTable()
		ctx, stop := context.WithCancel(t.Context())
		e := leases.election("p")
		var processes sync.WaitGroup
		served := 0
		processes.Go(func() {
			e.Run(ctx, func(led context.Context, term *lease.Term) {
				served++
				require.True(t, term.IsMine())
				require.True(t, term.Confirm(led))
				if served == 1 {
					_, _ = leases.ReleaseLease(led, "poll", "p")
					_, _ = leases.AcquireLease(led, "poll", "thief", ttl)
					require.True(t, term.IsMine(), "it cannot know")
					require.False(t, term.Confirm(led))
					require.False(t, term.IsMine())
				}
				began := time.Now()
				<-led.Done()
				if served == 1 {
					require.LessOrEqual(t, time.Since(began), ttl/4)
				}
			})
		})
		time.Sleep(3 * ttl)
		synctest.Wait()
		require.Equal(t, 2, served, "it leads again when the other's time is over")
		stop()
		processes.Wait()
	})
}
