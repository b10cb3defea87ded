package load_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
	"atlas-secure/tests/history"
	"atlas-secure/tests/load"
)

// edit replaces a part of a function's body.
type edit struct{ function, right, wrong string }

// planted are the released functions with one mistake each, such as locks and keys are there to prevent.
var planted = map[string]struct {
	edits []edit
	sql   string // what else stands in the mistake's way
}{
	"a lost update": {edits: []edit{
		{"account._lock", "perform pg_advisory_xact_lock((1::bigint << 56) | p_telegram_id);", ""},
		{"account._lock", "for no key update", ""},
		{"ledger._post", "v_debt_kopecks bigint;\nbegin", "v_debt_kopecks bigint;\n  v_old bigint;\nbegin"},
		{
			"ledger._post", "update wallet.wallet w\n  set available_kopecks = w.available_kopecks + v_available_change",
			"select w.available_kopecks into v_old from wallet.wallet w where w.telegram_id = p_telegram_id;\n" +
				"  update wallet.wallet w\n  set available_kopecks = v_old + v_available_change",
		},
	}},
	"a credit that forgets its key": {
		edits: []edit{{"wallet._adjust", "_adjust.is_replay := found;", "_adjust.is_replay := false;"}},
		sql:   "drop index ledger.transfer_key_once",
	},
	"a purchase that is paid as often as somebody asks": {edits: []edit{
		{"billing.pay_from_balance", "coalesce(v_paid_with in ('balance', 'free'), false)", "false"},
		{"billing.pay_from_balance", "v_status <> 'open'", "v_status not in ('open', 'paid')"},
	}},
	"a charge that is booked as often as it comes": {
		edits: []edit{{"billing._settle", "if not found then", "if false then"}},
	},
}

const (
	// soon is within what time a planted mistake has to be found.
	soon = time.Minute
	// stride is after how many operations somebody looks.
	stride = 100
)

// TestAPlantedMistakeIsFound lets the crowd lose one answer in twenty, on functions with a mistake.
func TestAPlantedMistakeIsFound(t *testing.T) {
	for name, mistake := range planted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := harness.New(t)
			b.BooksAreWrong("a mistake is planted")
			seed := harness.Seed(t)
			loss := harness.Loss{Seed: seed, Answer: 0.05}
			bots, _ := b.LossyPool(t, harness.BotLogin, loss)
			workers, _ := b.LossyPool(t, harness.WorkerLogin, loss)
			crowd := load.Open(t, load.Options{Bot: bots, Worker: workers, DBA: b.DBA, Seed: seed, Users: 6, Clients: 12,
				Operations: stride})
			for _, e := range mistake.edits {
				plant(t, b, e)
			}
			if mistake.sql != "" {
				_, err := b.Owner.Exec(t.Context(), mistake.sql)
				require.NoError(t, err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), soon)
			defer cancel()
			books := history.Books{Owner: b.Owner, Evidence: func() (string, error) { return t.TempDir(), nil }}
			began := time.Now()
			for ctx.Err() == nil {
				crowd.Start(ctx)()
				violations, err := history.Check(context.Background(), books, crowd.History())
				require.NoError(t, err)
				if violations = unmistakable(violations); len(violations) > 0 {
					t.Logf("found after %d operations and %.1f s by %v; %d violations, the first: %.300s", crowd.Operations(),
						time.Since(began).Seconds(), checkers(violations), len(violations), violations[0])
					return
				}
			}
			t.Errorf("not found in %d operations and %s", crowd.Operations(), soon)
		})
	}
}

// unmistakable leaves out what may be wrong only because the run was not brought to its end.
func unmistakable(violations []history.Violation) (rest []history.Violation) {
	for _, v := range violations {
		if v.Check != "nothing_left" && v.Check != "all_known" && v.Check != "some_done" {
			rest = append(rest, v)
		}
	}
	return rest
}

func checkers(violations []history.Violation) []string {
	names := map[string]bool{}
	for _, v := range violations {
		names[v.Check] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func plant(t *testing.T, b *harness.Bundle, e edit) {
	t.Helper()
	var body string
	require.NoError(t, b.Owner.QueryRow(t.Context(), "select pg_get_functiondef($1::regproc)", e.function).Scan(&body))
	require.Equal(t, 1, strings.Count(body, e.right), "%s has changed: plant the mistake anew", e.function)
	_, err := b.Owner.Exec(t.Context(), strings.Replace(body, e.right, e.wrong, 1))
	require.NoError(t, err)
}
