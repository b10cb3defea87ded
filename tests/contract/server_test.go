package contract_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

// session is one connection of a role, with a name that ops.lock_wait shows.
func (b *bundle) session(role harness.Role, name string) *pgx.Conn {
	b.Helper()
	config, err := pgx.ParseConfig(b.harness.DSN(role))
	require.NoError(b, err)
	config.RuntimeParams["application_name"] = name
	conn, err := pgx.ConnectConfig(context.Background(), config)
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func TestLockWaits(t *testing.T) {
	b := setup(t)
	ctx := context.Background()
	require.Empty(t, b.Query("select * from ops.lock_wait"))
	cases := []struct {
		name, hold, wait, on string
	}{
		{"a user", `select * from wallet.credit(p_telegram_id => 1001, p_amount_kopecks => 1, p_admin_id => 1, p_note => 'n',
			p_idempotency_key => 'hold')`,
			`select * from wallet.credit(p_telegram_id => 1001, p_amount_kopecks => 1, p_admin_id => 1, p_note => 'secret',
			p_idempotency_key => 'wait')`, "user 1001"},
		{"a row", `select * from ops.set_setting(p_name => 'star_kopecks', p_value => 180)`,
			`select * from ops.set_setting(p_value => 181, p_name => 'star_kopecks') -- secret`,
			"row (0,3) of ops.setting"},
	}
	for _, test := range cases {
		holder, waiter := b.session(harness.DBA, "forgetful"), b.session(harness.DBA, "patient")
		_, err := holder.Exec(ctx, "begin")
		require.NoError(t, err)
		_, err = holder.Exec(ctx, test.hold)
		require.NoError(t, err)
		ended := make(chan error, 1)
		go func() {
			_, err := waiter.Exec(ctx, test.wait)
			ended <- err
		}()
		b.waitsForLock(int(waiter.PgConn().PID()))
		for role, pool := range map[string]desk.Conn{"worker": b.harness.Worker, "auditor": b.harness.Auditor, "dba": b.harness.DBA} {
			rows := b.On(t, pool).Query(`
				select *, waited >= '0' and blocking_state_lasts >= '0' and blocking_transaction_lasts >= '0' as lasts
				from ops.lock_wait`)
			require.Len(t, rows, 1, role)
			require.Equal(t, Row{"pid": int(waiter.PgConn().PID()), "user_name": "atlas_test_dba", "application_name": "patient",
				"waits_for": test.on, "blocking_pid": int(holder.PgConn().PID()), "blocking_user_name": "atlas_test_dba",
				"blocking_application_name": "forgetful", "blocking_state": "idle in transaction", "lasts": true},
				pick(rows[0], "pid", "user_name", "application_name", "waits_for", "blocking_pid", "blocking_user_name",
					"blocking_application_name", "blocking_state", "lasts"), role)
			require.Contains(t, rows[0]["query"], "p_", "the query, not <insufficient privilege>")
			require.NotContains(t, rows[0]["query"], "secret")
			require.Contains(t, rows[0]["blocking_query"], "p_")
		}
		_, err = holder.Exec(ctx, "rollback")
		require.NoError(t, err)
		<-ended
	}
	require.Eventually(t, func() bool { return len(b.Query("select * from ops.lock_wait")) == 0 }, patience, time.Millisecond)
}

func TestWaitsInWords(t *testing.T) {
	b := setup(t)
	describe := func(locktype string, relation any, page, tuple, classid, objid, objsubid any) any {
		return b.owner.Value(`select ops._describe_lock(0, $1, ($2::text)::regclass, $3, $4, $5, $6, $7)`,
			locktype, relation, page, tuple, classid, objid, objsubid)
	}
	require.Equal(t, "user 4503599627370495", describe("advisory", nil, nil, nil, 1<<24|1<<20-1, uint32(1<<32-1), 1))
	require.Equal(t, "advisory lock 7345022991", describe("advisory", nil, nil, nil, 1, 7345022991-1<<32, 1))
	require.Equal(t, "advisory", describe("advisory", nil, nil, nil, 1, 2, 2), "two keys: none of ours")
	require.Equal(t, "row (3,4) of wallet.wallet", describe("tuple", "wallet.wallet", 3, 4, nil, nil, nil))
	require.Equal(t, "relation wallet.wallet", describe("relation", "wallet.wallet", nil, nil, nil, nil, nil))
	require.Equal(t, "the end of a transaction", describe("transactionid", nil, nil, nil, nil, nil, nil))
	require.Equal(t, "virtualxid", describe("virtualxid", nil, nil, nil, nil, nil, nil))

	for query, want := range map[string]string{
		"":                                      "",
		"select * from f(p_a => $1, p_b => $2)": "select * from f(p_a => $1, p_b => $2)",
		"select 1, 'it''s' secret":              "select 1, …",
		"select E'\nsecret":                     "select E…",
		"select 1,\n$$secret":                   "select 1,\n…",
		"select $1, $t2$secret\n$t2$":           "select $1, …",
	} {
		require.Equal(t, want, b.owner.Value(`select ops._without_values($1)`, query), query)
	}
	require.Equal(t, 200, b.owner.Value(`select length(ops._without_values($1))`, long))
	require.Nil(t, b.owner.Value(`select ops._without_values(null)`))
}

func TestComponents(t *testing.T) {
	b := setup(t)
	at := time.Now().UTC().Truncate(time.Microsecond)
	b.owner.At(at)
	state := func(name string) Row {
		rows := b.Query("select status, since, detail from ops.component where name = $1", name)
		require.Len(t, rows, 1)
		return rows[0]
	}
	status := func(name string) any { return state(name)["status"] }
	ran := func(job string, problem any) {
		b.One("ops.claim_run", A{"p_job_name": job, "p_holder": "w"})
		epoch := b.Value("select epoch from ops.job_run where false union all select null")
		if rows := b.owner.Query("select epoch from ops.lease where name = $1", job); len(rows) == 1 {
			epoch = rows[0]["epoch"]
		}
		require.Equal(t, true, b.One("ops.finish_run", A{"p_job_name": job, "p_holder": "w", "p_epoch": epoch,
			"p_started_at": at, "p_items": 0, "p_error": problem, "p_next_run_at": nil})["is_recorded"])
	}
	names := []string{}
	for _, row := range b.Query("select * from ops.component order by name") {
		names = append(names, row["name"].(string))
	}
	require.Equal(t, []string{"bot", "cashback", "cryptobot", "expiry", "inbox", "messages", "open purchases", "provisioning",
		"reminders", "renewals", "seal", "vpn node", "worker"}, names)
	for _, name := range []string{"bot", "worker", "vpn node", "cryptobot"} {
		require.Equal(t, "unknown", status(name), name)
	}
	for _, name := range []string{"inbox", "messages", "provisioning", "cashback", "open purchases", "expiry", "renewals",
		"reminders", "seal"} {
		require.Equal(t, "up", status(name), name)
	}

	b.One("ops.acquire_lease", lease("telegram.poll", "bot-1", "30 seconds"))
	ran("notify.send", nil)
	ran("vpn.sync_nodes", nil)
	ran("pay.poll_cryptobot", "no answer")
	require.Equal(t, Row{"status": "up", "since": at.Add(30 * time.Second), "detail": "bot-1 polls Telegram"}, state("bot"))
	require.Equal(t, Row{"status": "failing", "since": at, "detail": "pay.poll_cryptobot: no answer"}, state("worker"))
	require.Equal(t, Row{"status": "up", "since": at, "detail": nil}, state("vpn node"))
	require.Equal(t, Row{"status": "down", "since": at, "detail": "no answer"}, state("cryptobot"))
	ran("pay.poll_cryptobot", nil)
	require.Equal(t, "up", status("worker"))

	b.Buy(anna, "basic", 1, "k")
	b.receive([2]int{1, 1})
	b.owner.At(at.Add(50 * time.Second))
	require.Equal(t, "down", status("bot"))
	require.Equal(t, Row{"status": "up", "since": at, "detail": "1 waiting"}, state("provisioning"))
	b.owner.At(at.Add(61 * time.Second))
	for _, name := range []string{"worker", "vpn node", "cryptobot"} {
		require.Equal(t, "down", status(name), name)
	}
	for _, name := range []string{"inbox", "messages", "provisioning"} {
		require.Equal(t, "behind", status(name), name)
	}
	require.Equal(t, "up", status("seal"))
	b.owner.At(at.Add(121 * time.Second))
	require.Equal(t, "behind", status("seal"))
	rows := b.sealAll(1000)["sealed_rows"]
	require.Equal(t, Row{"status": "up", "since": at.Add(121 * time.Second), "detail": strconv.Itoa(rows.(int)) + " rows sealed"},
		state("seal"))
}

// TestF2UserWhoIsAlwaysBusyShows: batches pass a locked user by, every time; after a minute somebody can see it.
func TestF2UserWhoIsAlwaysBusyShows(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 1, "k")
	b.autoRenew(anna, true)
	end := b.Ends(anna)
	lane := func(name string) Row {
		return b.Query("select status, since, detail from ops.component where name = $1", name)[0]
	}
	jobs := map[string]string{"open purchases": "billing.expire_due", "expiry": "subscription.expire_due",
		"renewals": "subscription.renew_due", "reminders": "notify.enqueue_due"}
	for _, job := range jobs {
		b.One(job, batch(nil, 10))
	}
	ctx := context.Background()
	busy, err := b.harness.Owner.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = busy.Rollback(ctx) }()
	_, err = busy.Exec(ctx, "select from account.account where telegram_id = 1001 for no key update")
	require.NoError(t, err)
	for name, due := range map[string]time.Time{"open purchases": at.Add(30 * time.Minute), "reminders": end.AddDate(0, 0, -3),
		"renewals": end.Add(-6 * time.Hour), "expiry": end} {
		for wait, want := range map[time.Duration]string{time.Minute: "up", time.Minute + time.Second: "behind"} {
			b.owner.At(due.Add(wait))
			b.One(jobs[name], batch(nil, 10))
			require.Equal(t, Row{"status": want, "since": due, "detail": "1 waiting"}, lane(name), "%s %s", name, wait)
		}
	}
	require.NoError(t, busy.Rollback(ctx))
	for name, job := range jobs {
		b.One(job, batch(nil, 10))
		require.Equal(t, "up", lane(name)["status"], name)
	}
}
