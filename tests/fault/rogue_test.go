package fault_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
	"atlas-secure/tests/history"
	"atlas-secure/tests/load"
)

// mostAttempts is within how many attempts a call must get through although somebody locks rows in the wrong order.
const mostAttempts = 12

// TestG8RogueLockOrder: in psql somebody locks a user and then an admin, again and again, where the functions lock the
// admin first. One of the two has to give way; clients try again and get through, and ops.lock_wait names the culprit.
func TestG8RogueLockOrder(t *testing.T) {
	b := setup(t)
	crowd := load.Open(t, load.Options{Bot: b.bots, Worker: b.workers, DBA: b.DBA, Seed: b.seed, Clients: 16, Users: 3,
		Operations: 400 * load.Factor(t), Weights: map[string]int{"credit": 10, "debit": 8, "buy": 4, "balance": 2}})
	before, err := history.Deadlocks(t.Context(), b.Owner)
	require.NoError(t, err)
	rogue, alarms, victims := b.super(), 0, 0
	wrong := b.run(crowd, func(ctx context.Context) {
		for round := 0; ctx.Err() == nil; round++ {
			isAlarm, isVictim, err := b.lockBackwards(ctx, rogue, crowd.History().First+int64(round%3))
			if err != nil && ctx.Err() == nil {
				t.Errorf("rogue: %v", err)
				return
			}
			alarms += count(isAlarm)
			victims += count(isVictim)
		}
	})
	after, err := history.Deadlocks(t.Context(), b.Owner)
	require.NoError(t, err)
	hit, most := 0, 0
	for _, op := range crowd.History().Ops() {
		for _, why := range op.Retried {
			require.Contains(t, []string{"40P01", "55P03"}, why)
			hit++
		}
		most = max(most, op.Attempts())
	}
	t.Logf("%d calls and the rogue %d times were the victim of a deadlock (the server counts %d); %d looks at ops.lock_wait "+
		"named the rogue; at most %d attempts", hit, victims, after-before, alarms, most)
	require.Positive(t, hit+victims, "no deadlock at all")
	require.Positive(t, alarms)
	require.LessOrEqual(t, most, mostAttempts)
	b.judge(crowd.History(), wrong...)
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// lockBackwards locks a user and, once somebody waits for that, all admins. It says whether ops.lock_wait named it, and
// whether it was the one that the server chose to end.
func (b *bundle) lockBackwards(ctx context.Context, rogue *pgx.Conn, user int64) (isAlarm, isVictim bool, err error) {
	tx, err := rogue.Begin(ctx)
	if err != nil {
		return false, false, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	var pid int32
	err = tx.QueryRow(ctx, `select pg_backend_pid() from (select from account.account where telegram_id = $1 for update) a`,
		user).Scan(&pid)
	if err != nil {
		return false, false, err
	}
	const looked = `select exists (select from ops.lock_wait w where w.blocking_pid = $1)`
	for !isAlarm {
		if err := b.DBA.QueryRow(ctx, looked, pid).Scan(&isAlarm); err != nil {
			return false, false, err
		}
	}
	_, err = tx.Exec(ctx, "select from account.admin order by telegram_id for update")
	if desk.Code(err) == "40P01" {
		return isAlarm, true, nil
	}
	return isAlarm, false, err
}

// TestG9RogueIsolation: sessions that begin in another isolation level than READ COMMITTED, by their role's or their own
// setting, can change nothing: every function that writes refuses them before anything else.
func TestG9RogueIsolation(t *testing.T) {
	b := setup(t)
	b.Shop()
	writers := b.owner.Query(`select p.oid::regproc::text as function, p.pronargs::int as arguments
		from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where n.nspname in ('account', 'audit', 'billing', 'inbox', 'notify', 'ops', 'promo', 'referral', 'subscription', 'vpn',
		                    'wallet', 'withdrawal')
		  and p.provolatile = 'v' and p.prosecdef and p.proname not like '\_%' and p.prorettype <> 'trigger'::regtype
		order by 1`)
	require.Greater(t, len(writers), 40)
	before := b.everything()
	for _, level := range []string{"repeatable read", "serializable"} {
		b.set(harness.DBALogin, "default_transaction_isolation", "'"+level+"'")
		byRole := b.Pool(t, harness.DBALogin)
		bySession := b.poolWith(harness.DBA, level)
		for _, pool := range []*pgxpool.Pool{byRole, bySession} {
			for _, f := range writers {
				_, err := pool.Exec(t.Context(), nullCall(f))
				require.Equal(t, "OP001", desk.Code(err), "%s in %s", f["function"], level)
			}
		}
		h := history.New(anna, anna, b.seed)
		for i := range 8 { // and with arguments that would be right
			op, _ := load.Do(t.Context(), byRole, h, history.Op{Function: "wallet.credit", Args: creditArgs(anna, 5, fmt.Sprint(i))})
			require.Equal(t, "OP001", op.Code)
			require.Equal(t, 1, op.Attempts(), "trying again would not help")
		}
	}
	require.Equal(t, before, b.everything())
	for _, f := range writers { // the guard and nothing else has refused
		_, err := b.DBA.Exec(t.Context(), nullCall(f))
		require.NotEqual(t, "OP001", desk.Code(err), "%s", f["function"])
	}
}

// nullCall calls a function with nulls only.
func nullCall(f desk.Row) string {
	nulls := strings.TrimSuffix(strings.Repeat("null, ", f["arguments"].(int)), ", ")
	return fmt.Sprintf("select * from %s(%s)", f["function"], nulls)
}

// poolWith opens a pool whose sessions ask for an isolation level when they connect.
func (b *bundle) poolWith(role harness.Role, level string) *pgxpool.Pool {
	b.Helper()
	config, err := pgxpool.ParseConfig(b.DSN(role))
	require.NoError(b, err)
	config.ConnConfig.RuntimeParams["default_transaction_isolation"] = level
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	return pool
}

// everything counts the rows of every table.
func (b *bundle) everything() []desk.Row {
	b.Helper()
	return b.owner.Query(`select c.oid::regclass::text as name,
		(xpath('/row/n/text()', query_to_xml('select count(*) as n from ' || c.oid::regclass, false, true, '')))[1]::text as n
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') order by 1`)
}
