package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"atlas-secure/tests/history"
)

const (
	prepareLimit = 2 * time.Minute
	attemptLimit = 30 * time.Second
	firstPause   = 2 * time.Millisecond
	longestPause = 500 * time.Millisecond
)

// client does one thing after the other, and now and then two at once.
type client struct {
	crowd  *Crowd
	id     int
	random *rand.Rand
	count  int
}

// key makes an idempotency key that no other call has.
func (c *client) key() string {
	c.count++
	return fmt.Sprintf("%d-%d-%d-%d", c.crowd.options.Seed%100_000, c.crowd.options.First, c.id, c.count)
}

// Do is one operation: the call is repeated until its outcome is definite or ctx ends, and written into the history. Of
// op, Client, User, Function, Args, Key and Amount are the caller's; the first row of the answer is kept, all are returned.
func Do(ctx context.Context, conn history.Conn, h *history.History, op history.Op, again ...string) (history.Op, []map[string]any) {
	op.Start = h.Now()
	var rows []map[string]any
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		op.Last = h.Now()
		var err error
		rows, err = attempt(ctx, conn, op)
		op.End = h.Now()
		outcome := judge(err, again)
		if outcome.isDefinite {
			op.Code = outcome.code
			break
		}
		if outcome.isUnknown {
			op.Unknown++
		}
		op.Retried = append(op.Retried, outcome.code)
		if !rest(ctx, pause/2+rand.N(pause)) {
			op.IsOpen = true
			break
		}
	}
	if len(rows) > 0 && op.Code == "" && !op.IsOpen {
		op.Answer = rows[0]
	}
	h.Add(op)
	return op, rows
}

func attempt(ctx context.Context, conn history.Conn, op history.Op) ([]map[string]any, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	return history.Call(ctx, conn, op.Function, op.Args)
}

// rest waits, and says whether there is a point in going on.
func rest(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// outcome is what one attempt tells its client.
type outcome struct {
	isDefinite bool
	isUnknown  bool   // it may have taken effect
	code       string // SQLSTATE, or "lost" without one
}

// troubles are SQLSTATEs that say nothing about the call: to be tried again with the same arguments. Besides these, the
// classes of broken connections, of a server that lacks something or that goes away.
var troubles = []string{
	"40001", "40P01", "55P03", // serialization, deadlock, lock timeout
	"25006", // a standby
	"0A000", // "cached plan must not change result type": the function was replaced
	"26000", // a prepared statement that this server session does not have
}

var troubleClasses = []string{"08", "53", "57"}

// judge tells what an attempt's error means. An error of severity ERROR is the word of a transaction that was rolled back;
// a session that dies may have committed just before.
func judge(err error, again []string) outcome {
	var refusal *pgconn.PgError
	switch {
	case err == nil:
		return outcome{isDefinite: true}
	case errors.As(err, &refusal):
		isTrouble := slices.Contains(troubles, refusal.Code) || slices.Contains(again, refusal.Code) ||
			slices.Contains(troubleClasses, refusal.Code[:min(2, len(refusal.Code))])
		isRolledBack := refusal.Severity == "ERROR" || pgconn.SafeToRetry(err) || isConnecting(err)
		return outcome{isDefinite: !isTrouble, isUnknown: isTrouble && !isRolledBack, code: refusal.Code}
	default:
		return outcome{isUnknown: !pgconn.SafeToRetry(err) && !isConnecting(err), code: "lost"}
	}
}

// isConnecting says that nothing was sent yet, because there was no connection.
func isConnecting(err error) bool {
	var connecting *pgconn.ConnectError
	return errors.As(err, &connecting)
}

// call makes an operation about a customer through the bot's login, or the worker's for what only that may call.
func (c *client) call(
	ctx context.Context, who *customer, function, key string, amount int, args history.Args,
) (history.Op, []map[string]any) {
	conn := c.crowd.options.Bot
	if history.IsWorkers(function) {
		conn = c.crowd.options.Worker
	}
	return c.callOn(ctx, conn, who, function, key, amount, args)
}

func (c *client) callOn(
	ctx context.Context, conn history.Conn, who *customer, function, key string, amount int, args history.Args,
) (history.Op, []map[string]any) {
	op := history.Op{Client: c.id, Function: function, Args: args, Key: key, Amount: int64(amount)}
	if who != nil {
		op.User = who.id
	}
	c.crowd.begun.Add(1)
	op, rows := Do(ctx, conn, c.crowd.history, op, c.crowd.options.Again...)
	if op.Unknown > 0 && (function == "vpn.claim_jobs" || function == "notify.claim") {
		c.crowd.lostWork.Store(int64(op.End))
	}
	return op, rows
}

// together runs things at once and waits for all.
func together(things ...func()) {
	var all sync.WaitGroup
	for _, thing := range things {
		all.Go(thing)
	}
	all.Wait()
}

// chance is true so often.
func (c *client) chance(percent int) bool { return c.random.IntN(100) < percent }
