package fault_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
	"atlas-secure/tests/history"
)

// hurried gives up every tenth call after 0 to 4 ms, whatever the server is doing then.
type hurried struct {
	history.Conn

	mu      sync.Mutex
	random  *rand.Rand
	hurried int
}

func (h *hurried) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	h.mu.Lock()
	isHurried, limit := h.random.IntN(10) == 0, time.Duration(h.random.IntN(4001))*time.Microsecond
	if isHurried {
		h.hurried++
	}
	h.mu.Unlock()
	if !isHurried {
		return h.Conn.Query(ctx, sql, args...)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	rows, err := h.Conn.Query(ctx, sql, args...)
	return hurriedRows{rows, cancel}, err
}

// hurriedRows end their deadline when they are read.
type hurriedRows struct {
	pgx.Rows

	cancel context.CancelFunc
}

func (r hurriedRows) Close() {
	r.Rows.Close()
	r.cancel()
}

// TestG2LostAnswers loses answers, parts of answers and requests of every kind of operation.
func TestG2LostAnswers(t *testing.T) {
	b := setup(t)
	loss := harness.Loss{Seed: b.seed, Answer: 0.05, Cut: 0.02, Request: 0.02}
	bots, lossy := b.LossyPool(t, harness.BotLogin, loss)
	workers, _ := b.LossyPool(t, harness.WorkerLogin, loss)
	crowd := b.crowd(bots, workers, 16, 12, 1200)
	wrong := b.run(crowd)
	calls, answers, cuts, requests := lossy.Counts()
	t.Logf("of %d calls of the bot %d answers, %d parts of answers and %d requests were lost", calls, answers, cuts, requests)
	require.Positive(t, answers)
	require.Positive(t, cuts)
	require.Positive(t, requests)
	require.Greater(t, unknowns(crowd.History().Ops()), 50)
	b.judge(crowd.History(), wrong...)
}

// TestG2Deadlines lets clients give up while the server is at work.
func TestG2Deadlines(t *testing.T) {
	b := setup(t)
	hurry := func(conn history.Conn, stream uint64) *hurried {
		return &hurried{Conn: conn, random: rand.New(rand.NewPCG(b.seed, stream))}
	}
	bots := hurry(b.bots, 1)
	crowd := b.crowd(bots, hurry(b.workers, 2), 16, 12, 800)
	wrong := b.run(crowd)
	t.Logf("%d calls of the bot had 0 to 4 ms", bots.hurried)
	require.Greater(t, unknowns(crowd.History().Ops()), 10)
	b.judge(crowd.History(), wrong...)
}
