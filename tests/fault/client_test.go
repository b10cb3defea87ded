package fault_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
	"atlas-secure/tests/history"
	"atlas-secure/tests/load"
)

// The environment of a client process: where the database is, and what its keys begin with.
const (
	childDSN = "ATLAS_FAULT_CHILD_DSN"
	childKey = "ATLAS_FAULT_CHILD_KEY"
)

// child debits and credits one user, one operation after the other, until it is killed. It says on its standard output
// what it is about to do, and then what came of it.
func child() int {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, os.Getenv(childDSN))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	h := history.New(anna, anna, 0)
	out := json.NewEncoder(os.Stdout)
	for i := 1; ; i++ {
		op := childOp(os.Getenv(childKey), i)
		if out.Encode(op) != nil {
			return 1
		}
		op, _ = load.Do(ctx, conn, h, op)
		if out.Encode(op) != nil {
			return 1
		}
	}
}

// childOp is the i-th operation of a client process.
func childOp(prefix string, i int) history.Op {
	key := fmt.Sprint(prefix, "-", i)
	function := []string{"wallet.credit", "wallet.debit"}[i%2]
	return history.Op{User: anna, Function: function, Key: key, Amount: int64(100 + i), Args: creditArgs(anna, 100+i, key)}
}

// TestG1KilledClient kills client processes in the middle of a call. Whoever asks again with the same key gets the one
// effect, whether the server has gone on without its client or not.
func TestG1KilledClient(t *testing.T) {
	b := setup(t)
	b.User(boss)
	b.One("account.grant_admin", desk.A{"p_telegram_id": boss, "p_note": "n"})
	b.User(anna)
	h := history.New(anna, anna, b.seed)
	load.Do(t.Context(), b.bots, h, history.Op{User: anna, Function: "wallet.credit", Key: "first", Amount: 10_000,
		Args: creditArgs(anna, 10_000, "first")})
	replays, clients := 0, 6*load.Factor(t)
	for i := range clients {
		isWaiting := i%2 == 0 // killed while its call waits for a lock, else whenever it happens
		prefix := fmt.Sprint("c", i)
		n, begun := b.killedChild(h, prefix, isWaiting, 1+int((b.seed>>(i%32))%5))
		again := childOp(prefix, n)
		again.Unknown = 1
		op, _ := load.Do(t.Context(), b.bots, history.New(anna, anna, 0), again)
		op.Start, op.Last, op.End, op.Unknown = begun, h.Now(), h.Now(), 1
		h.Add(op)
		require.Empty(t, op.Code)
		if op.Answer["is_replay"] == true {
			replays++
		} else {
			require.False(t, isWaiting, "the server goes on without its client")
		}
	}
	t.Logf("%d of %d calls had taken effect; %s", replays, clients, history.Summary(h.Ops()))
	require.GreaterOrEqual(t, replays, 3)
	b.judge(h)
}

// killedChild starts a client process and kills it when it has begun its at-th operation, or when that waits for a lock.
// It writes down what the client has finished, and gives the number of the operation that it was at, and since when.
func (b *bundle) killedChild(h *history.History, prefix string, isWaiting bool, at int) (n int, begun time.Duration) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDSN+"="+b.DSN(harness.BotLogin), childKey+"="+prefix)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	begun = h.Now()
	require.NoError(b, cmd.Start())
	defer func() { _ = cmd.Wait() }()

	isBegin, isStruck := true, false
	for lines := bufio.NewScanner(out); lines.Scan(); isBegin = !isBegin {
		var op history.Op
		require.NoError(b, json.Unmarshal(lines.Bytes(), &op))
		if isBegin {
			n++
			if n >= at && !isStruck {
				isStruck = true
				b.strike(cmd, isWaiting)
			}
			continue
		}
		for column, value := range op.Answer { // numbers are integers
			if number, is := value.(float64); is {
				op.Answer[column] = int(number)
			}
		}
		op.Start, op.Last, op.End = begun, begun, h.Now()
		begun = op.End
		h.Add(op)
	}
	require.True(b, isStruck, "the client has ended on its own")
	return n, begun
}

// strike kills a client process; on demand only once one of its calls waits for a lock.
func (b *bundle) strike(cmd *exec.Cmd, isWaiting bool) {
	b.Helper()
	if isWaiting {
		tx, err := b.Owner.Begin(context.Background())
		require.NoError(b, err)
		defer func() { _ = tx.Rollback(context.Background()) }()
		_, err = tx.Exec(context.Background(), "select from account.account where telegram_id = $1 for update", anna)
		require.NoError(b, err)
		b.until("the client waits", `select exists (select from pg_stat_activity
			where datname = current_database() and usename = $1 and wait_event_type = 'Lock')`, string(harness.BotLogin))
	}
	require.NoError(b, cmd.Process.Kill())
}
