package history

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Books says where the truth about a record is.
type Books struct {
	// Owner may read all tables: a pool of the owner, or of a superuser.
	Owner Beginner
	// Bot and Worker repeat what was acknowledged; nil: nothing is repeated.
	Bot, Worker Conn
	// Evidence is where diagrams of what cannot be go; nil: Folder.
	Evidence func() (string, error)
}

// Check runs every checker over a record whose clients have all ended, and what the database holds. It repeats the
// acknowledged operations first, so that a repeat that changed anything is found, too.
func Check(ctx context.Context, books Books, h *History) ([]Violation, error) {
	ops := h.Ops()
	violations, err := NothingLeft(ctx, books.Owner)
	if err != nil {
		return nil, err
	}
	if books.Bot != nil && books.Worker != nil {
		violations = append(violations, Replayed(ctx, books.Bot, books.Worker, ops)...)
	}
	s, err := Take(ctx, books.Owner, h.First, h.Last)
	if err != nil {
		return nil, err
	}
	reconciled, err := Reconciled(ctx, books.Owner)
	if err != nil {
		return nil, err
	}
	violations = append(violations, reconciled...)
	evidence := books.Evidence
	if evidence == nil {
		evidence = Folder
	}
	return append(violations, Judge(ops, s, evidence)...), nil
}

// Judge runs the checkers that need no connection. evidence is where diagrams go.
func Judge(ops []Op, s *Snapshot, evidence func() (string, error)) []Violation {
	var violations []Violation
	for _, found := range [][]Violation{
		SomeDone(ops), AllKnown(ops), Expected(ops), SameAnswers(ops), OnlyOneEnd(ops),
		Conserved(s), Chained(s), PromosWithinLimits(s), WithdrawalsEndOnce(s), PeriodsChargedOnce(s), PaymentsAccounted(s),
		Once(ops, s), Kept(ops, s), Linearizable(ops, s, sync.OnceValues(evidence)),
	} {
		violations = append(violations, found...)
	}
	return violations
}

// checkLimit is how long all checkers of one record may take.
const checkLimit = 10 * time.Minute

// shown is how many violations a failing test prints.
const shown = 20

// Require fails the test if anything is wrong, says what, and saves the record. Further violations, of a Watcher for
// instance, can be handed in.
func Require(t testing.TB, books Books, h *History, further ...Violation) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), checkLimit)
	defer cancel()
	violations, err := Check(ctx, books, h)
	require.NoError(t, err)
	if violations = append(violations, further...); len(violations) == 0 {
		return
	}
	t.Errorf("%s", Report(h, violations))
	t.FailNow()
}

// Report says what is wrong and where the record was saved.
func Report(h *History, violations []Violation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d violations, ATLAS_TEST_SEED=%d:\n", len(violations), h.Seed)
	for _, v := range violations[:min(len(violations), shown)] {
		fmt.Fprintf(&b, "  %.2000s\n", v)
	}
	folder, err := Folder()
	if err == nil {
		var path string
		if path, err = h.Save(folder); err == nil {
			fmt.Fprintf(&b, "the record: %s\n", path)
		}
	}
	if err != nil {
		fmt.Fprintf(&b, "the record could not be saved: %v\n", err)
	}
	b.WriteString(Summary(h.Ops()))
	return b.String()
}
