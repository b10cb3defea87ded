package scale_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
)

// job is what is measured: a call that works off what is due, and how much it says it was.
type job struct {
	name, sql string
	index     string // what finds its work
	isRead    bool   // and can be done twice: the first time pays for what is on the disk
}

func jobs(total int) []job {
	return []job{
		{"subscription.renew_due", "select renewed from subscription.renew_due(null, $1::int)",
			"subscription.subscription_renew_check", false},
		{"subscription.expire_due", "select expired from subscription.expire_due(null, $1::int)",
			"subscription.subscription_expiry_check", false},
		{"billing.expire_due", "select expired from billing.expire_due(null, $1::int)", "billing.purchase_expiry_check", false},
		{"referral.pay_due", "select paid from referral.pay_due(null, $1::int)",
			"outbox.task_due, outbox.task_cashback_once, outbox.task_waiting", false},
		{"notify.enqueue_due", "select enqueued from notify.enqueue_due(null, $1::int)",
			"subscription.subscription_reminder_check", false},
		{"vpn.reissue_due", "select reissued from vpn.reissue_due(null, $1::int)", "subscription.subscription_pkey", false},
		{"wallet.statement", fmt.Sprintf(`select count(distinct g.n)::int from generate_series(1, $1::int) g (n)
			cross join lateral wallet.statement(%d + g.n * 7919 %% %d, 20, null) s`, firstUser, total),
			"ledger.transfer_pkey", true},
		page("users", "account.account_pkey", total),
		page("subscriptions", "subscription.subscription_pkey", total),
		page("ledger", "ledger.transfer_pkey", total),
	}
}

// page reads rows of an export from the middle on.
func page(kind, index string, total int) job {
	return job{"ops.export_page " + kind, fmt.Sprintf(`select count(*)::int from ops.export_page(
		(select e.export_id from ops.export e where e.kind = '%s'), '%s', %d, 0, $1::int)`, kind, lease, firstUser+total/2), index, true}
}

// report is a call that reads everybody, as it has to: how long it takes is said, and judged by whoever reads it.
// Before it, what it reads is put there.
type report struct{ name, before, sql string }

func reports() []report {
	return []report{
		{"ops.figures_due, three days", "", "select computed from ops.figures_due(null, 1)"},
		{"referral.levels, all users referrers", `insert into referral.referrer (telegram_id, paying_count, earned_kopecks)
			select a.telegram_id, a.telegram_id % 50, 100 from account.account a on conflict do nothing`,
			"select count(*)::int from referral.levels(1)"},
	}
}

const lease = "00000000-0000-4000-8000-000000000001"

// asks has an admin whose exports are being read.
const asks = `
insert into account.account (telegram_id, language, referral_code, registered_at) values (1, 'ru', 'boss', core.now());
insert into wallet.wallet (telegram_id) values (1);
insert into account.admin (telegram_id, is_active, note, changed_at) values (1, true, 'crowd', core.now());
insert into ops.export (kind, admin_id, requested_at, cut, expected_rows, due_at, lease_token)
select k, 1, core.now(), pg_current_snapshot(), 0, core.now(), '` + lease + `' from unnest('{users, subscriptions, ledger}'::ops.export_kind[]) k`

// reading is what was read of a table, and written to it.
type reading struct {
	Table                string
	Scans, Rows, ByIndex int64
	Inserted, Updated    int64
	Size                 float32
}

// touched reads the counters of this connection that the server has not collected yet: of the transaction that is open,
// and perhaps of some before.
const touched = `
select t.schemaname || '.' || t.relname, t.seq_scan, t.seq_tup_read, coalesce(t.idx_tup_fetch, 0), t.n_tup_ins, t.n_tup_upd,
       c.reltuples
from pg_stat_xact_user_tables t join pg_class c on c.oid = t.relid
where t.schemaname !~ '^pg_'`

func read(ctx context.Context, tx pgx.Tx) (map[string]reading, error) {
	rows, err := tx.Query(ctx, touched)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[reading])
	found := map[string]reading{}
	for _, r := range list {
		found[r.Table] = r
	}
	return found, err
}

// large is from where on the planner may choose freely. A small table is rightly read from end to end; there the
// question is whether the work could be done without.
const large = 100_000

// work runs a job in a transaction of its own and says how long it took and what it touched.
func work(ctx context.Context, tx pgx.Tx, j job, due int) (items int, took time.Duration, found []reading, err error) {
	if *users < large {
		if _, err = tx.Exec(ctx, "set local enable_seqscan = off"); err != nil {
			return 0, 0, nil, err
		}
	}
	before, err := read(ctx, tx)
	if err != nil {
		return 0, 0, nil, err
	}
	started := time.Now()
	if err = tx.QueryRow(ctx, j.sql, due).Scan(&items); err != nil {
		return 0, 0, nil, fmt.Errorf("%s: %w", j.name, err)
	}
	took = time.Since(started)
	after, err := read(ctx, tx)
	for _, table := range slices.Sorted(maps.Keys(after)) {
		r, b := after[table], before[table]
		found = append(found, reading{table, r.Scans - b.Scans, r.Rows - b.Rows, r.ByIndex - b.ByIndex,
			r.Inserted - b.Inserted, r.Updated - b.Updated, r.Size})
	}
	return items, took, found, err
}

// perItem is how many rows of one table a job may look at for each thing it does.
const perItem = 30

// complaints are the user-sized tables that a job has read more of than what was due.
func complaints(found []reading, total, due int) []string {
	list := []string{}
	for _, r := range found {
		isBig := r.Size >= float32(total)/2
		if isBig && r.Scans > 0 {
			list = append(list, fmt.Sprintf("%s: read from end to end %d times (%d rows)", r.Table, r.Scans, r.Rows))
		}
		if n := r.ByIndex + r.Rows; isBig && n > int64(perItem*due) {
			list = append(list, fmt.Sprintf("%s: %d rows read for %d", r.Table, n, due))
		}
		if n := r.Inserted + r.Updated; n > int64(5*due) {
			list = append(list, fmt.Sprintf("%s: %d rows written for %d", r.Table, n, due))
		}
	}
	return list
}

// sizes are the numbers of users at which to measure.
func sizes() []int {
	if *users >= large {
		return []int{*users / 100, *users / 10, *users}
	}
	return []int{*users / 10, *users}
}

// everybody asks for a new key for everybody, with as much under way as is due.
const everybody = `
with paced as (update ops.setting s set value = s.maximum where s.name = 'reissue_tasks_at_once')
insert into vpn.reissue_request (admin_id, idempotency_key, requested_at, expected) values (1, 'scale', core.now(), 0)`

func setup(t *testing.T) (*crowd, int) {
	t.Helper()
	h := harness.New(t)
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, h.DSN(harness.Superuser))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(ctx) })
	_, err = conn.Exec(ctx, everybody)
	require.NoError(t, err)
	if *users >= large {
		h.BooksAreWrong("they are right, and reconciled with more time below")
	}
	_, err = conn.Exec(ctx, asks)
	require.NoError(t, err)
	return &crowd{conn: conn}, min(sizes()[0]/20, 1000)
}

func (c *crowd) run(t *testing.T, j job, due int) (took time.Duration, found []reading) {
	t.Helper()
	tx, err := c.conn.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(t.Context()) }()
	items, took, found, err := work(t.Context(), tx, j, due)
	require.NoError(t, err)
	require.Equal(t, due, items, "%s works off what is due", j.name)
	require.NoError(t, tx.Commit(t.Context()))
	return took, found
}

// report says how long one takes. Nothing of it stays.
func (c *crowd) report(t *testing.T, r report) time.Duration {
	t.Helper()
	tx, err := c.conn.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(t.Context()) }()
	_, err = tx.Exec(t.Context(), r.before)
	require.NoError(t, err, r.name)
	started := time.Now()
	_, err = tx.Exec(t.Context(), r.sql)
	require.NoError(t, err, r.name)
	return time.Since(started)
}

func TestWorkGrowsWithWhatIsDueOnly(t *testing.T) {
	c, due := setup(t)
	measured := map[string][]time.Duration{}
	for _, size := range sizes() {
		require.NoError(t, c.grow(t.Context(), size, due))
		for _, j := range jobs(size) {
			took, found := c.run(t, j, due)
			if j.isRead {
				took, found = c.run(t, j, due)
			}
			measured[j.name] = append(measured[j.name], took/time.Duration(due))
			if size == *users {
				require.Empty(t, complaints(found, size, due), j.name)
			}
		}
		for _, r := range reports() {
			t.Logf("%s with %d users: %s", r.name, size, c.report(t, r).Round(time.Millisecond))
		}
	}
	t.Log(table(measured))
	reconciled(t, c.conn)
}

func table(measured map[string][]time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-30s", "time per item at")
	for _, size := range sizes() {
		fmt.Fprintf(&b, "%12d users", size)
	}
	fmt.Fprintf(&b, "    the last against the first")
	for _, j := range jobs(*users) {
		fmt.Fprintf(&b, "\n%-30s", j.name)
		for _, took := range measured[j.name] {
			fmt.Fprintf(&b, "%15.1f µs", float64(took.Nanoseconds())/1000)
		}
		all := measured[j.name]
		fmt.Fprintf(&b, "%14.2f", float64(all[len(all)-1])/float64(all[0]))
	}
	return b.String()
}

// reconciled demands that the books are right, however long it takes to read them.
func reconciled(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	started := time.Now()
	rows, err := conn.Query(t.Context(), "select check_name || ' ' || subject || ': ' || detail from ops.reconcile() limit 20")
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Empty(t, found)
	t.Logf("the books of %d users are right (%s to read them)", *users, time.Since(started).Round(time.Second))
}

// TestAMissingIndexIsNoticed proves the check: without the index that finds its work, each job is complained of.
func TestAMissingIndexIsNoticed(t *testing.T) {
	const few = 5_000
	c, _ := setup(t)
	require.NoError(t, c.grow(t.Context(), few, 50))
	for _, j := range jobs(few) {
		tx, err := c.conn.Begin(t.Context())
		require.NoError(t, err)
		drop := "drop index " + j.index
		if of, isKey := strings.CutSuffix(j.index, "_pkey"); isKey {
			_, name, _ := strings.Cut(j.index, ".")
			drop = fmt.Sprintf("alter table %s drop constraint %s cascade", of, name)
		}
		_, err = tx.Exec(t.Context(), drop)
		require.NoError(t, err)
		_, _, found, err := work(t.Context(), tx, j, 50)
		require.NoError(t, err)
		require.NotEmpty(t, complaints(found, few, 50), j.name)
		require.NoError(t, tx.Rollback(t.Context()))
	}
}
