package history_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
	"atlas-secure/tests/history"
)

func TestMain(m *testing.M) { harness.Main(m) }

type bundle struct {
	*desk.Desk
	*harness.Bundle
	owner *desk.Desk
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	h := harness.New(t)
	b := &bundle{&desk.Desk{TB: t, Conn: h.DBA}, h, &desk.Desk{TB: t, Conn: h.Owner}}
	b.Shop()
	return b
}

// until waits until a query of the owner gives true.
func (b *bundle) until(sql string, args ...any) {
	b.Helper()
	require.Eventually(b, func() bool { return b.owner.Value(sql, args...).(bool) }, 30*time.Second, 5*time.Millisecond, sql)
}

func (b *bundle) begin(pool *pgxpool.Pool) pgx.Tx {
	b.Helper()
	tx, err := pool.Begin(context.Background())
	require.NoError(b, err)
	b.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

func TestNothingIsLeftOfAQuietDatabase(t *testing.T) {
	b := setup(t)
	left, err := history.NothingLeft(t.Context(), b.Owner)
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestWhatIsLeftIsFound lets a session wait for the lock of a forgotten transaction, and a job be nobody's.
func TestWhatIsLeftIsFound(t *testing.T) {
	b := setup(t)
	b.One("subscription.start_trial", desk.A{"p_telegram_id": desk.Bert, "p_idempotency_key": "k"})
	b.One("vpn.claim_jobs", desk.ClaimArgs("w", 1))
	b.owner.Query("update outbox.task set leased_until = clock_timestamp() - interval '1 second' where leased_until is not null")
	forgotten := b.begin(b.Owner)
	_, err := forgotten.Exec(t.Context(), "select from account.account where telegram_id = $1 for update", desk.Anna)
	require.NoError(t, err)
	waiting := make(chan struct{})
	go func() {
		defer close(waiting)
		_, _ = b.Try("wallet.credit", desk.A{"p_telegram_id": desk.Anna, "p_amount_kopecks": 1, "p_admin_id": desk.Boss,
			"p_note": "n", "p_idempotency_key": "k"})
	}()
	b.until("select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')")

	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	left, err := history.NothingLeft(ctx, b.Owner)
	require.NoError(t, err)
	require.Len(t, left, 3, "%v", left)
	require.NoError(t, forgotten.Rollback(t.Context()))
	<-waiting
	b.owner.Query("update outbox.task set finished_at = core.now(), outcome = 'done' where leased_until is not null")
}

func TestDeadlocksAreCounted(t *testing.T) {
	b := setup(t)
	before, err := history.Deadlocks(t.Context(), b.Owner)
	require.NoError(t, err)
	require.Empty(t, history.SameDeadlocks(before, before))
	lock := func(tx pgx.Tx, user int) error {
		_, err := tx.Exec(t.Context(), "select from account.account where telegram_id = $1 for update", user)
		return err
	}
	one, other := b.begin(b.Owner), b.begin(b.Owner)
	require.NoError(t, lock(one, desk.Anna))
	require.NoError(t, lock(other, desk.Bert))
	crossed := make(chan error)
	go func() { crossed <- lock(one, desk.Bert) }()
	require.Equal(t, "40P01", desk.Code(errors.Join(lock(other, desk.Anna), <-crossed)))
	require.NoError(t, one.Rollback(t.Context()))
	require.NoError(t, other.Rollback(t.Context()))
	b.until("select deadlocks > $1 from pg_stat_database where datname = current_database()", before)
	after, err := history.Deadlocks(t.Context(), b.Owner)
	require.NoError(t, err)
	require.NotEmpty(t, history.SameDeadlocks(before, after))
}

func TestAWatcherLooksAndFinds(t *testing.T) {
	b := setup(t)
	w := history.Watch(t.Context(), b.Owner)
	require.Eventually(t, func() bool { return w.Looks() >= 2 }, 30*time.Second, 5*time.Millisecond)
	looks, wrong := w.Stop()
	require.GreaterOrEqual(t, looks, 2)
	require.Empty(t, wrong)

	b.BooksAreWrong("this test says so")
	b.owner.Query("update wallet.wallet set available_kopecks = 5, version = 3 where telegram_id = $1", desk.Bert)
	w = history.Watch(t.Context(), b.Owner)
	require.Eventually(t, func() bool { return w.Looks() >= 1 }, 30*time.Second, 5*time.Millisecond)
	_, wrong = w.Stop()
	checks := map[string]bool{}
	for _, v := range wrong {
		checks[v.Check] = true
	}
	require.Equal(t, map[string]bool{
		"snapshot: conserved": true, "snapshot: chained": true, "reconcile: wallet_equals_ledger": true}, checks)
}

func TestAWatcherThatSeesNothingFails(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "postgres://nobody@127.0.0.1:1/nowhere")
	require.NoError(t, err)
	defer pool.Close()
	looks, wrong := history.Watch(t.Context(), pool).Stop()
	require.Zero(t, looks)
	require.Len(t, wrong, 1)
}

// TestARepeatFindsWhatWasLost: an operation that the database does not know is done anew by its repeat, and one that it
// knows otherwise answers otherwise.
func TestARepeatFindsWhatWasLost(t *testing.T) {
	b := setup(t)
	args := desk.A{"p_telegram_id": desk.Anna, "p_amount_kopecks": 70, "p_admin_id": desk.Boss, "p_note": "n",
		"p_idempotency_key": "known"}
	known := history.Op{User: desk.Anna, Function: "wallet.credit", Key: "known", Args: args, Amount: 70,
		Answer: b.One("wallet.credit", args)}
	replayed := func(ops ...history.Op) []history.Violation {
		return history.Replayed(t.Context(), b.DBA, b.DBA, ops)
	}
	require.Empty(t, replayed(known))

	lost := known
	lost.Key, lost.Args = "lost", args.With("p_idempotency_key", "lost")
	require.Contains(t, replayed(lost)[0].Text, "no replay")
	other := known
	other.Answer = desk.Row{"transfer_id": 1, "available_kopecks": 1, "held_kopecks": 0, "is_replay": false}
	require.Contains(t, replayed(other)[0].Text, "a repeat answers")
	reused := known
	reused.Args = args.With("p_amount_kopecks", 71)
	require.Contains(t, replayed(reused)[0].Text, "ID001")
}

// TestASnapshotHasWhatTheDatabaseHas checks a record of real calls against a real database.
func TestASnapshotHasWhatTheDatabaseHas(t *testing.T) {
	b := setup(t)
	b.Buy(desk.Anna, "basic", 1, "k")
	charge := b.Topup(desk.Anna, 20000, "t")
	b.Settle("c", charge, 20000)
	b.One("withdrawal.request", desk.A{"p_telegram_id": desk.Anna, "p_amount_kopecks": 50000, "p_requisites": "v1:bG9hZA==",
		"p_idempotency_key": "w"})
	s, err := history.Take(t.Context(), b.Owner, desk.Anna, desk.Bert)
	require.NoError(t, err)
	require.Len(t, s.Wallets, 2)
	require.Len(t, s.Transfers[desk.Anna], 4)
	require.Len(t, s.Purchases, 2)
	require.Len(t, s.Payments, 1)
	require.Len(t, s.Withdrawals, 1)
	for _, violations := range [][]history.Violation{history.Conserved(s), history.Chained(s), history.PromosWithinLimits(s),
		history.WithdrawalsEndOnce(s), history.PeriodsChargedOnce(s), history.PaymentsAccounted(s)} {
		require.Empty(t, violations)
	}
	require.Len(t, history.Once(nil, s), 4, "nobody of the record asked for these rows")
	few, err := history.Take(t.Context(), b.Owner, desk.Bert, desk.Bert)
	require.NoError(t, err)
	require.Len(t, few.Wallets, 1)
	require.Empty(t, few.Purchases)
}
