package history

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/tests/contract/desk"
)

// replayers is how many repeats are under way at once.
const replayers = 8

// Replayed calls every acknowledged operation that has a key again, with the same arguments: the answer must be the first
// one, as a replay. What was acknowledged and lost would be done anew here, and is found by that.
func Replayed(ctx context.Context, bot, worker Conn, ops []Op) []Violation {
	var (
		mu         sync.Mutex
		violations []Violation
		all        sync.WaitGroup
		work       = make(chan *Op)
	)
	for range replayers {
		all.Go(func() {
			for op := range work {
				conn := bot
				if IsWorkers(op.Function) {
					conn = worker
				}
				rows, err := repeat(ctx, conn, op)
				if why := op.differs(rows, err); why != "" {
					mu.Lock()
					violations = append(violations, Violation{"replayed", user(op.User), why + ": " + op.String()})
					mu.Unlock()
				}
			}
		})
	}
	for i := range ops {
		if _, tells := ops[i].Answer["is_replay"]; tells && ops[i].Key != "" && ops[i].IsAcknowledged() {
			work <- &ops[i]
		}
	}
	close(work)
	all.Wait()
	return violations
}

// repeats is how often a repeat is tried while the server, or a connection that a fault has left behind, says nothing about
// the call; with pauses of a little more each time.
const (
	repeats    = 20
	repeatRest = 20 * time.Millisecond
)

func repeat(ctx context.Context, conn Conn, op *Op) (rows []map[string]any, err error) {
	for i := range repeats {
		rows, err = Call(ctx, conn, op.Function, op.Args)
		code := desk.Code(err)
		isWord := err == nil || atlas.IsRefusal(code) && code != "40001" && code != "40P01" && code != "55P03"
		if isWord || ctx.Err() != nil {
			return rows, err
		}
		timer := time.NewTimer(time.Duration(i+1) * repeatRest)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
	return rows, err
}

// differs says what is wrong with the answer to a repeat.
func (o *Op) differs(rows []map[string]any, err error) string {
	switch code := desk.Code(err); {
	case code == "PU003" && o.Function == "billing.cancel_purchase":
		return "" // paid since: late money is honoured
	case err != nil:
		return "a repeat is refused: " + code
	case len(rows) != 1:
		return fmt.Sprintf("a repeat answers %d rows", len(rows))
	case rows[0]["is_replay"] != true:
		return fmt.Sprintf("a repeat is no replay: %v", rows[0])
	}
	if first, again := o.lasting(o.Answer), o.lasting(rows[0]); !reflect.DeepEqual(first, again) {
		return fmt.Sprintf("a repeat answers %v", rows[0])
	}
	return ""
}

// lasting are the columns that stay as they are: what became of money may change, by a reversal or out of suspense.
func (o *Op) lasting(answer map[string]any) map[string]any {
	if o.Function == "billing.settle_payment" || o.Function == "billing.approve_manual" {
		return map[string]any{"payment_id": answer["payment_id"]}
	}
	kept := maps.Clone(answer)
	delete(kept, "is_replay")
	return kept
}

// SameAnswers demands that operations with the same key were told the same, and only one of them that it was the first.
func SameAnswers(ops []Op) []Violation {
	groups := map[string][]*Op{}
	for i := range ops {
		op := &ops[i]
		if _, tells := op.Answer["is_replay"]; tells && op.Key != "" && op.IsAcknowledged() && op.isEnd() {
			id := strings.Join([]string{op.Function, user(op.User), op.argument("p_admin_id"), op.Key}, " ")
			groups[id] = append(groups[id], op)
		}
	}
	var violations []Violation
	for id, group := range groups {
		if n := firsts(group); n > 1 {
			violations = append(violations, Violation{"same_answers", id, fmt.Sprintf("%d were told that they are the first", n)})
		}
		for _, op := range group[1:] {
			if !reflect.DeepEqual(op.lasting(op.Answer), group[0].lasting(group[0].Answer)) {
				violations = append(violations, Violation{"same_answers", id, fmt.Sprintf("%v and %v", group[0].Answer, op.Answer)})
			}
		}
	}
	return violations
}
