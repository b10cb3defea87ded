package fault_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
	"atlas-secure/tests/history"
	"atlas-secure/tests/load"
)

const (
	soakShort    = 8 * time.Second  // of load, in make test
	soakRound    = 30 * time.Second // then the record is judged, and another crowd comes
	soakProgress = 10 * time.Second
	longestPause = time.Second
)

// soakFor is ATLAS_SOAK, a duration.
func soakFor(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("ATLAS_SOAK")
	if text == "" {
		return soakShort
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err, "ATLAS_SOAK")
	return d
}

// soak is a run of everything with all faults at once.
type soak struct {
	*bundle

	began  time.Time
	random *rand.Rand
	supers *pgxpool.Pool // may end others' sessions

	ops, unknown, looks        int
	crashes, pauses, ended     atomic.Int64
	longestRecovery, stillness time.Duration
}

// TestSoak lets one crowd after the other use a durable server that loses answers, ends and stops sessions and is killed
// now and then. `make soak` does it for half an hour.
func TestSoak(t *testing.T) {
	t.Parallel()
	s := &soak{bundle: bundleOf(t, harness.NewPrivate(t)), began: time.Now()}
	s.random = rand.New(rand.NewPCG(s.seed, 0))
	s.supers = s.Pool(t, harness.Superuser)
	limit := soakFor(t)
	for round := 0; round == 0 || time.Since(s.began) < limit; round++ {
		s.round(round, min(soakRound, limit))
	}
	s.progress(0)
	require.Positive(t, s.crashes.Load())
	require.Positive(t, s.ended.Load())
	require.Positive(t, s.pauses.Load())
	require.Positive(t, s.unknown)
}

// round is one crowd's life, and the judgement of it.
func (s *soak) round(number int, length time.Duration) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), length+patience)
	defer cancel()
	loss := harness.Loss{Seed: s.seed + uint64(number), Answer: 0.02, Cut: 0.01, Request: 0.01}
	bots, _ := s.LossyPool(s, harness.BotLogin, loss)
	workers, _ := s.LossyPool(s, harness.WorkerLogin, loss)
	defer bots.Close()
	defer workers.Close()
	crowd := load.Open(s, load.Options{Bot: bots, Worker: workers, DBA: s.DBA, Seed: s.seed + uint64(number), Clients: 16,
		Users: 20, First: 100_001 + 100*int64(number), Duration: length + patience/2})
	watcher := history.Watch(ctx, s.Owner)
	wait := crowd.Start(ctx)
	stop := s.during(ctx, func(ctx context.Context) { s.faults(ctx, crowd, length) }, func(ctx context.Context) { s.report(ctx, crowd) })
	wait()
	stop()
	crowd.Drain(ctx)
	looks, wrong := watcher.Stop()
	h := crowd.History()
	s.ops += h.Len()
	s.looks += looks
	s.unknown += unknowns(h.Ops())
	s.judge(h, wrong...)
}

// everyFault is in how many turns each kind of fault has happened.
const everyFault = 3

// faults does one bad thing after the other: mostly it ends sessions, now and then it stops one for a while, and now and
// then it kills the server. The round is over after its length, but not before each has happened.
func (s *soak) faults(ctx context.Context, crowd *load.Crowd, length time.Duration) {
	began := time.Now()
	for turn := 1; moreOperations(ctx, crowd, 40, 5*time.Millisecond); turn++ {
		if turn > everyFault && time.Since(began) > length {
			crowd.Stop()
			return
		}
		switch {
		case turn%20 == everyFault:
			recovery := s.crash()
			s.longestRecovery = max(s.longestRecovery, recovery)
			s.crashes.Add(1)
		case turn%4 == 2:
			s.pause(ctx, time.Duration(s.random.Int64N(int64(longestPause))))
		default:
			s.ended.Add(s.session(ctx, `select count(pg_terminate_backend(a.pid)) from (%s) a`))
		}
	}
}

// session runs a query about one session of the crowd, chosen at random; 0 if the server cannot say.
func (s *soak) session(ctx context.Context, query string) (answer int64) {
	const one = `select pid from pg_stat_activity where datname = current_database() and usename in ('%s', '%s')
		order by random() limit 1`
	err := s.supers.QueryRow(ctx, fmt.Sprintf(query, fmt.Sprintf(one, harness.BotLogin, harness.WorkerLogin))).Scan(&answer)
	if err != nil {
		return 0
	}
	return answer
}

// pause stops the process of a session, wherever it is, with all locks that it holds.
func (s *soak) pause(ctx context.Context, length time.Duration) {
	pid := int(s.session(ctx, `select coalesce(max(a.pid), 0) from (%s) a`))
	if pid == 0 || syscall.Kill(pid, syscall.SIGSTOP) != nil {
		return
	}
	defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
	s.pauses.Add(1)
	s.stillness += length
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// report prints how far it is, every ten seconds.
func (s *soak) report(ctx context.Context, crowd *load.Crowd) {
	ticker := time.NewTicker(soakProgress)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.progress(crowd.History().Len())
		}
	}
}

func (s *soak) progress(ofRound int) {
	elapsed, ops := time.Since(s.began), s.ops+ofRound
	fmt.Fprintf(os.Stderr, "soak: %s: %d operations (%.0f/s), %d of them judged with %d unknown answers and %d snapshots; "+
		"%d crashes, %d sessions ended, %d stopped\n", elapsed.Round(time.Second), ops, float64(ops)/elapsed.Seconds(), s.ops,
		s.unknown, s.looks, s.crashes.Load(), s.ended.Load(), s.pauses.Load())
}
