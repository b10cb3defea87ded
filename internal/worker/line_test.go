package worker

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/lease"
	"atlas-secure/internal/obs"
)

// TestOfTenWorkersOneAsks: while another process has the lease of a job that is due, one worker asks for it every second,
// and the others wait in Redis; without Redis each asks. Postgres says no to all of them, and the job is not run.
func TestOfTenWorkersOneAsks(t *testing.T) {
	t.Parallel()
	b := setup(t, job("a", "1 seconds", true))
	b.books.refuse = true
	server := miniredis.RunT(t)
	ctx, stop := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for i := range 10 {
		client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, DialTimeout: soon, ReadTimeout: soon})
		t.Cleanup(func() { _ = client.Close() })
		holder := fmt.Sprint("w", i)
		meter, err := NewMeter(prometheus.NewRegistry())
		require.NoError(t, err)
		w := New(b.books, map[string]Job{"a": func(context.Context, Batch) (int, error) {
			t.Error("run without an epoch")
			return 0, nil
		}}, holder, lease.NewFilter(client, "t:", holder, lease.WithPatience(soon)), obs.Discard(), meter)
		workers.Go(func() { _ = w.Run(ctx) })
	}
	asked := func() (askers, most int) {
		b.books.mu.Lock()
		defer b.books.mu.Unlock()
		for _, count := range b.books.askers {
			most = max(most, count)
		}
		return len(b.books.askers), most
	}
	require.Eventually(t, func() bool { _, most := asked(); return most >= 4 }, soon, time.Millisecond)
	askers, _ := asked()
	require.Equal(t, 1, askers)
	server.Close()
	require.Eventually(t, func() bool { askers, _ := asked(); return askers == 10 }, soon, time.Millisecond)
	stop()
	workers.Wait()
}

// TestALeaderAsksWhoeverIsNextInLine: the key in Redis is another worker's; who leads goes on all the same.
func TestALeaderAsksWhoeverIsNextInLine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, DialTimeout: soon, ReadTimeout: soon})
	t.Cleanup(func() { _ = client.Close() })
	w := b.worker(t, nil)
	w.filter = lease.NewFilter(client, "t:", "leader", lease.WithPatience(soon))
	next := lease.NewFilter(client, "t:", "next", lease.WithPatience(soon))
	a := job("a", "1 seconds", true)
	require.True(t, next.Passes(t.Context(), "a", soon))
	require.False(t, w.mayClaim(t.Context(), a))
	w.note("a", true)
	require.True(t, w.mayClaim(t.Context(), a))
	require.True(t, w.mayClaim(t.Context(), job("b", "1 seconds", false)), "a parallel job has no line")
	w.note("a", false)
	require.False(t, w.mayClaim(t.Context(), a))
}

// TestAWorkerThatStopsLeavesTheLine: whoever is next need not wait for the key's end in Redis.
func TestAWorkerThatStopsLeavesTheLine(t *testing.T) {
	t.Parallel()
	b := setup(t, job("a", "3600 seconds", true))
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, DialTimeout: soon, ReadTimeout: soon})
	t.Cleanup(func() { _ = client.Close() })
	w := b.worker(t, map[string]Job{"a": func(context.Context, Batch) (int, error) { return 0, nil }})
	w.filter = lease.NewFilter(client, "t:", w.holder, lease.WithPatience(soon))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	require.Eventually(t, func() bool { return len(b.books.runs()) == 1 }, soon, time.Millisecond)
	require.NotEmpty(t, server.Keys())
	stop()
	require.NoError(t, <-done)
	require.Empty(t, server.Keys())
}
