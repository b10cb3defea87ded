package lease_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/lease"
	"atlas-secure/internal/obs"
)

func newTable() *table {
	return &table{asked: map[string]int{}, dead: map[string]bool{}, silent: map[string]bool{}}
}

func (l *table) election(holder string) *lease.Election {
	return &lease.Election{Name: "poll", Holder: holder, TTL: ttl, Authority: l, Log: obs.Discard()}
}

// mute has Postgres leave a process without answers, or answer it again; answers to others are so long on their way.
func (l *table) mute(holder string, isSilent bool, slow time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent[holder], l.slow = isSilent, slow
}

// TestALeaderWithoutAnswersIsFollowed leaves one of two leaders after the other without answers, which are on their way for
// some time as it is. A term ends with its lease, which began when it was asked for, and the one who waits asks soon.
func TestALeaderWithoutAnswersIsFollowed(t *testing.T) {
	t.Parallel()
	for _, slow := range []time.Duration{0, ttl / 30, ttl / 10} {
		t.Run(slow.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				leases, d := newTable(), &diary{}
				leases.slow = slow
				ctx, stop := context.WithCancel(t.Context())
				var processes sync.WaitGroup
				for i := range 2 {
					name := fmt.Sprint("p", i)
					e := leases.election(name)
					processes.Go(func() { e.Run(ctx, d.lead(name)) })
				}
				for range 20 {
					time.Sleep(3 * ttl)
					synctest.Wait()
					first, _ := d.leader()
					require.NotEmpty(t, first)
					leases.mute(first, true, 0)
					muted := time.Now()
					for {
						time.Sleep(10 * time.Millisecond)
						synctest.Wait()
						if next, since := d.leader(); next != "" && next != first {
							require.LessOrEqual(t, since.Sub(muted), ttl+ttl/6+slow, "it asks six times in a lease")
							break
						}
						require.Less(t, time.Since(muted), 3*ttl, "nobody follows")
					}
					require.False(t, d.both, "never two at once")
					leases.mute(first, false, slow)
				}
				stop()
				processes.Wait()
				require.Empty(t, leases.holder, "the last one gives it up")
			})
		})
	}
}

// TestATermOfAnotherEpochIsOver: the lease ran out, or was released by hand, and the same process has it again. What was
// begun under the old epoch does not go on under the new one.
func TestATermOfAnotherEpochIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		leases := newTable()
		ctx, stop := context.WithCancel(t.Context())
		e := leases.election("p")
		var epochs []int64
		var processes sync.WaitGroup
		processes.Go(func() {
			e.Run(ctx, func(led context.Context, term *lease.Term) {
				epochs = append(epochs, term.Epoch)
				if len(epochs) == 1 {
					_, _ = leases.ReleaseLease(led, "poll", "p")
					_, _ = leases.AcquireLease(led, "poll", "p", ttl)
					require.False(t, term.Confirm(led))
					require.False(t, term.IsMine())
				}
				<-led.Done()
			})
		})
		time.Sleep(3 * ttl)
		stop()
		processes.Wait()
		require.Equal(t, []int64{1, 3}, epochs)
	})
}

// TestWhoCannotAskIsNotConfirmed: Postgres cannot be asked. While the lease lasts that changes nothing; afterwards the term is
// over, whoever asks.
func TestWhoCannotAskIsNotConfirmed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		leases := newTable()
		ctx, stop := context.WithCancel(t.Context())
		e := leases.election("p")
		var processes sync.WaitGroup
		processes.Go(func() {
			e.Run(ctx, func(led context.Context, term *lease.Term) {
				leases.cut("p")
				require.True(t, term.Confirm(led))
				<-led.Done()
				require.False(t, term.Confirm(ctx))
				stop()
			})
		})
		processes.Wait()
	})
}

// TestALeaderKeepsItsPlaceInLine: a leader has the key in Redis, takes it again when Redis has lost it, and gives it up with
// the lease.
func TestALeaderKeepsItsPlaceInLine(t *testing.T) {
	t.Parallel()
	server, all := filters(t, 2)
	const key, short = "t:lease:poll", time.Second
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	leading := make(chan struct{})
	begin := sync.OnceFunc(func() { close(leading) }) // on a busy machine a second may pass, and another term begin
	e := newTable().election("p0")
	e.TTL, e.Filter = short, all[0]
	var processes sync.WaitGroup
	processes.Go(func() {
		e.Run(ctx, func(led context.Context, _ *lease.Term) {
			begin()
			<-led.Done()
		})
	})
	<-leading
	require.True(t, server.Exists(key))
	server.Del(key)
	require.Eventually(t, func() bool { return server.Exists(key) }, time.Minute, time.Millisecond, "those in line need not ask Postgres")
	require.False(t, all[1].Passes(t.Context(), "poll", ttl))
	stop()
	processes.Wait()
	require.False(t, server.Exists(key), "nobody waits for the key of who has stopped")
}
