package harness

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Loss says how often a call over a connection is lost, and how: shares from 0 to 1, together at most 1. A lost call is
// the end of its connection, and all of them look the same to the client, who cannot know what the server did.
type Loss struct {
	Seed uint64
	// Answer: the server has done the work and answered, and the answer is lost.
	Answer float64
	// Cut: the same, but some of the answer arrives.
	Cut float64
	// Request: the server never hears of it.
	Request float64
}

// Lossy loses calls of the connections that it is attached to.
type Lossy struct {
	mu     sync.Mutex
	random *rand.Rand
	loss   Loss
	isOff  bool
	calls  int
	lost   map[fate]int
}

// NewLossy makes one; Attach puts it to work.
func NewLossy(loss Loss) *Lossy {
	return &Lossy{random: rand.New(rand.NewPCG(loss.Seed, loss.Seed)), loss: loss, lost: map[fate]int{}}
}

// LossyPool is Pool with connections that lose calls.
func (b *Bundle) LossyPool(t testing.TB, role Role, loss Loss) (*pgxpool.Pool, *Lossy) {
	t.Helper()
	lossy := NewLossy(loss)
	config, err := pgxpool.ParseConfig(b.DSN(role))
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	config.MaxConns = poolSize
	lossy.Attach(config)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool, lossy
}

// Attach makes the connections of a pool that will be opened with config lose calls. They must not be encrypted.
func (l *Lossy) Attach(config *pgxpool.Config) {
	dial, after := config.ConnConfig.DialFunc, config.AfterConnect
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &lossyConn{Conn: conn, lossy: l}, nil
	}
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if after != nil {
			if err := after(ctx, conn); err != nil {
				return err
			}
		}
		wrapped, ok := conn.PgConn().Conn().(*lossyConn)
		if !ok {
			return errors.New("harness: calls of an encrypted connection cannot be told apart")
		}
		wrapped.mu.Lock()
		defer wrapped.mu.Unlock()
		wrapped.isReady = true
		return nil
	}
}

// Stop ends the losses.
func (l *Lossy) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isOff = true
}

// Counts are the calls so far, and how many of them were lost in which way.
func (l *Lossy) Counts() (calls, answers, cuts, requests int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls, l.lost[loseAnswer], l.lost[cutAnswer], l.lost[loseRequest]
}

// fate is what becomes of one call.
type fate int

const (
	deliver fate = iota
	loseAnswer
	cutAnswer
	loseRequest
)

func (l *Lossy) draw() fate {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if l.isOff {
		return deliver
	}
	drawn := l.random.Float64()
	for _, share := range []struct {
		fate fate
		size float64
	}{{loseAnswer, l.loss.Answer}, {cutAnswer, l.loss.Cut}, {loseRequest, l.loss.Request}} {
		if drawn -= share.size; drawn < 0 {
			l.lost[share.fate]++
			return share.fate
		}
	}
	return deliver
}

// below is a random number from 1 to n-1, or 0 where there is none.
func (l *Lossy) below(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < 2 {
		return 0
	}
	return 1 + l.random.IntN(n-1)
}

// lossyConn is a connection whose calls may be lost. pgx writes all messages of a call at once.
type lossyConn struct {
	net.Conn

	lossy *Lossy

	mu      sync.Mutex
	isReady bool // the handshake is over
	fate    fate
	rest    []byte // of a cut answer: what still arrives
}

func (c *lossyConn) Write(messages []byte) (int, error) {
	c.mu.Lock()
	c.fate = deliver
	if c.isReady && isCall(messages) {
		c.fate = c.lossy.draw()
	}
	isLost := c.fate == loseRequest
	c.mu.Unlock()
	if isLost {
		_ = c.Conn.Close()
		return len(messages), nil
	}
	return c.Conn.Write(messages)
}

// Read may have been waiting when the call was written: pgx reads ahead while a write is slow. So the fate counts that
// stands when something arrives.
func (c *lossyConn) Read(buffer []byte) (int, error) {
	fate, rest := c.state()
	if len(rest) > 0 {
		n := copy(buffer, rest)
		c.set(loseRequest, rest[n:])
		return n, nil
	}
	if fate == loseRequest {
		return 0, syscall.ECONNRESET
	}
	n, err := c.Conn.Read(buffer)
	if fate, _ = c.state(); err != nil || fate == deliver {
		return n, err
	}
	answer, err := readAnswer(c.Conn, bytes.Clone(buffer[:n]))
	_ = c.Conn.Close()
	if err != nil {
		return 0, err
	}
	if fate == cutAnswer {
		answer = answer[:c.lossy.below(len(answer))]
		n = copy(buffer, answer)
		c.set(loseRequest, answer[n:])
		return n, nil
	}
	c.set(loseRequest, nil)
	return 0, syscall.ECONNRESET
}

func (c *lossyConn) state() (fate, []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fate, c.rest
}

func (c *lossyConn) set(fate fate, rest []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fate, c.rest = fate, rest
}

// header is a message's type and its length, which counts itself.
const header = 5

// ping is what a pool asks a connection that was idle, to see whether it is still there.
const ping = "-- ping"

// isCall says whether messages of a client make the server do something: Execute or a simple Query.
func isCall(messages []byte) bool {
	for len(messages) >= header {
		if messages[0] == 'E' || messages[0] == 'Q' && !bytes.HasPrefix(messages[header:], []byte(ping)) {
			return true
		}
		next := 1 + int(binary.BigEndian.Uint32(messages[1:header]))
		if next > len(messages) {
			return false
		}
		messages = messages[next:]
	}
	return false
}

// readAnswer reads on until the server is ready for the next call: everything it does for this one is done.
func readAnswer(conn net.Conn, answer []byte) ([]byte, error) {
	next := 0 // where the next message begins
	buffer := make([]byte, 16*1024)
	for {
		for len(answer) >= next+header {
			end := next + 1 + int(binary.BigEndian.Uint32(answer[next+1:next+header]))
			if answer[next] == 'Z' && end <= len(answer) {
				return answer, nil
			}
			next = end
		}
		n, err := conn.Read(buffer)
		if err != nil {
			return nil, err
		}
		answer = append(answer, buffer[:n]...)
	}
}
