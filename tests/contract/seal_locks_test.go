package contract_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

func TestSealWaitsForOlderTransactions(t *testing.T) {
	b := setup(t)
	b.sealAll(100)
	ctx := context.Background()
	older, err := b.harness.DBA.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = older.Rollback(ctx) }()
	credit := A{"p_telegram_id": bert, "p_amount_kopecks": 100, "p_admin_id": boss, "p_note": "older", "p_idempotency_key": "o"}
	b.On(t, older).One("wallet.credit", credit)
	b.Credit(anna, 100)
	require.Equal(t, 0, b.One("audit.seal", A{"p_limit": 100})["sealed"],
		"the younger row is there, and an older one may still come before it")
	require.NoError(t, older.Commit(ctx))
	require.Equal(t, 2, b.seal(100)["sealed"])
	require.Equal(t, true, b.One("audit.verify", A{})["is_intact"])

	// A transaction that has written nothing has no place among the rows yet: nobody waits for it.
	reader, err := b.harness.DBA.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = reader.Rollback(ctx) }()
	b.On(t, reader).One("wallet.balance", A{"p_telegram_id": bert})
	b.Credit(anna, 200)
	require.Equal(t, 1, b.seal(100)["sealed"])
	b.On(t, reader).One("wallet.credit", credit.With("p_idempotency_key", "r"))
	require.NoError(t, reader.Commit(ctx))
	require.Equal(t, 1, b.seal(100)["sealed"])
	require.Equal(t, true, b.One("audit.verify", A{})["is_intact"])
}

func TestTwoSealersTakeTurns(t *testing.T) {
	b := setup(t)
	b.sealAll(1000) // the first time they would wait for the lease's row to appear
	b.Credit(bert, 100)
	ctx := context.Background()
	one, err := b.harness.DBA.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = one.Rollback(ctx) }()
	b.settled()
	first := b.On(t, one).One("audit.seal", A{"p_limit": 1000})
	require.Positive(t, first["sealed"])

	other, err := b.harness.Worker.Acquire(ctx)
	require.NoError(t, err)
	defer other.Release()
	pid := other.Conn().PgConn().PID()
	second := make(chan error, 1)
	go func() {
		rows, err := b.On(t, other).Try("audit.seal", A{"p_limit": 1000})
		if err == nil && rows[0]["sealed_rows"].(int) < first["sealed_rows"].(int) {
			err = fmt.Errorf("it began anew: %v", rows[0])
		}
		second <- err
	}()
	b.waitsForLock(int(pid))
	require.NoError(t, one.Commit(ctx))
	require.NoError(t, <-second)
	require.Equal(t, true, b.One("audit.verify", A{})["is_intact"])
}

// waitsForLock returns when a session waits for a lock.
func (b *bundle) waitsForLock(pid int) {
	b.Helper()
	require.Eventually(b, func() bool {
		return b.owner.Value(`select exists (select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock')`, pid) == true
	}, patience, time.Millisecond)
}

const patience = 20 * time.Second

func TestX7BooksAreAppendOnly(t *testing.T) {
	b := sealedBooks(t)
	attacks := []string{}
	for _, table := range []string{"ledger.transfer", "audit.entry", "audit.batch"} {
		attacks = append(attacks,
			fmt.Sprintf("delete from %s", table), fmt.Sprintf("truncate %s", table), fmt.Sprintf("truncate %s cascade", table),
			fmt.Sprintf("alter table %s disable trigger all", table), fmt.Sprintf("drop table %s", table),
			fmt.Sprintf("alter table %s disable trigger %s_is_append_only", table, map[string]string{
				"ledger.transfer": "transfer", "audit.entry": "entry", "audit.batch": "batch"}[table]),
			fmt.Sprintf("create rule silent as on insert to %s do instead nothing", table))
	}
	attacks = append(attacks, "update ledger.transfer set note = ''", "update audit.entry set details = '{}'",
		"update audit.batch set sealed_rows = 0", "update ledger.transfer set note = '' where false",
		"insert into ledger.transfer select * from ledger.transfer", "insert into audit.entry (action) values ('x')",
		"set session_replication_role = replica", "set local session_replication_role = replica",
		"insert into audit.event (action) values ('x')", "set role atlas_owner", "select audit._record('x', null, null)")
	ctx := context.Background()
	before := b.fingerprint()
	for role, pool := range b.pools() {
		for _, attack := range attacks {
			_, err := pool.Exec(ctx, attack)
			if strings.Contains(attack, "audit.event") { // no role could: it is a union
				require.Contains(t, []string{"42501", "55000"}, desk.Code(err), "%s: %s", role, attack)
				continue
			}
			require.Equal(t, "42501", desk.Code(err), "%s: %s", role, attack)
			require.NotContains(t, err.Error(), "append-only", "%s: %s: it got as far as the trigger", role, attack)
		}
	}
	// By mistake not even the owner; on purpose it shows (X8).
	for _, table := range []string{"ledger.transfer", "audit.entry", "audit.batch"} {
		for _, mistake := range []string{"delete from %s where false", "truncate %s", "delete from %s"} {
			_, err := b.harness.Owner.Exec(ctx, fmt.Sprintf(mistake, table))
			require.Equal(t, "42501", desk.Code(err), mistake)
		}
	}
	_, err := b.harness.Owner.Exec(ctx, "set session_replication_role = replica")
	require.Equal(t, "42501", desk.Code(err))
	require.Equal(t, before, b.fingerprint())
}

func TestBatchesAreReadFromTheIndex(t *testing.T) {
	b := setup(t)
	b.harness.BooksAreWrong("its ledger is made of thin air")
	b.script(`
		insert into ledger.transfer (telegram_id, version, debit_account, credit_account, reason, amount_kopecks,
		  available_kopecks, held_kopecks, debt_kopecks, created_at, recorded_xid)
		select 5000, n, 'adjustment', 'available', 'admin_credit', 5, 5, 0, 0, core.now(), 1000 + n
		from generate_series(1, 60000) n;`)
	su, err := pgx.Connect(context.Background(), b.harness.DSN(harness.Superuser))
	require.NoError(t, err)
	defer func() { _ = su.Close(context.Background()) }()
	_, err = su.Exec(context.Background(), "vacuum analyze ledger.transfer")
	require.NoError(t, err)

	rows := b.owner.Query(`explain (analyze, costs off, timing off, summary off) select * from audit._rows(31000, 31500)`)
	plan := ""
	for _, row := range rows {
		plan += row["QUERY PLAN"].(string) + "\n"
	}
	require.Contains(t, plan, "Bitmap Index Scan on transfer_recorded")
	require.NotContains(t, plan, "Seq Scan on transfer")
	require.NotContains(t, plan, "Function Scan", "it is one query, not a call")
	require.NotContains(t, plan, "Sort")
	var removed int
	at := strings.Index(plan, "Rows Removed by Index Recheck: ")
	require.Positive(t, at, plan)
	_, err = fmt.Sscanf(plan[at:], "Rows Removed by Index Recheck: %d", &removed)
	require.NoError(t, err)
	require.Less(t, removed, 6000, "a few pages beside the batch's own")
}
