package sqlapi_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/config"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
	atlassql "atlas-secure/sql"
	"atlas-secure/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	user     atlas.TelegramID = 1001
	stranger atlas.TelegramID = 1002
	admin    atlas.TelegramID = 1003
)

// bundle is a database with a user, a stranger and an admin, seen as the processes' roles.
type bundle struct {
	*harness.Bundle

	bot, worker, dba *sqlapi.DB
	owner            *pgx.Conn
}

func (b *bundle) open(t *testing.T, role harness.Role, change ...func(*sqlapi.Config)) *sqlapi.DB {
	t.Helper()
	return open(t, b.DSN(role), change...)
}

func open(t *testing.T, dsn string, change ...func(*sqlapi.Config)) *sqlapi.DB {
	t.Helper()
	cfg := sqlapi.Config{URL: config.NewSecret(dsn), PoolSize: 4, StatementTimeout: 20 * time.Second}
	for _, apply := range change {
		apply(&cfg)
	}
	db, err := sqlapi.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{Bundle: harness.New(t)}
	b.bot, b.worker, b.dba = b.open(t, harness.BotLogin), b.open(t, harness.WorkerLogin), b.open(t, harness.DBALogin)
	owner, err := pgx.Connect(t.Context(), b.DSN(harness.Superuser))
	require.NoError(t, err)
	b.owner = owner
	t.Cleanup(func() { _ = owner.Close(context.Background()) })
	for _, id := range []atlas.TelegramID{user, stranger, admin} {
		_, err := b.bot.Account.Register(t.Context(), sqlapi.RegisterParams{TelegramID: id, Language: "en"})
		require.NoError(t, err)
	}
	_, err = b.dba.Account.GrantAdmin(t.Context(), admin, "first admin")
	require.NoError(t, err)
	return b
}

// text asks the owner for one value.
func (b *bundle) text(t *testing.T, sql string, args ...any) string {
	t.Helper()
	var value string
	require.NoError(t, b.owner.QueryRow(t.Context(), sql, args...).Scan(&value))
	return value
}

func (b *bundle) fund(t *testing.T, amount atlas.Kopecks) {
	t.Helper()
	_, err := b.bot.Wallet.Credit(t.Context(), sqlapi.AdjustParams{
		TelegramID: user, Amount: amount, AdminID: admin, Note: "for the test", Key: fmt.Sprintf("fund:%d", amount),
	})
	require.NoError(t, err)
}

func (b *bundle) buy(t *testing.T, key string) sqlapi.OpenedPurchase {
	t.Helper()
	opened, err := b.bot.Billing.OpenPurchase(t.Context(), sqlapi.OpenPurchaseParams{
		TelegramID: user, Plan: atlas.Plan{Tariff: atlas.Basic, Months: 1}, Key: key,
	})
	require.NoError(t, err)
	return opened
}

func TestEveryConstantPrepares(t *testing.T) {
	t.Parallel()
	b := setup(t)

	calls, err := sqlapi.Calls(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, calls)
	for i, call := range calls {
		_, err := b.owner.Prepare(t.Context(), fmt.Sprintf("s%d", i), call.SQL)
		require.NoError(t, err, "%s", call.SQL)
	}
}

// TestWhatIsSentWithoutTimeoutsOnlyReads: a function that writes, or may wait for a lock, needs its prologue.
func TestWhatIsSentWithoutTimeoutsOnlyReads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	calls, err := sqlapi.Calls(t.Context())
	require.NoError(t, err)
	read := 0
	for _, call := range calls {
		if call.IsRead {
			read++
			require.Equal(t, "s", b.text(t, `select distinct p.provolatile::text from pg_proc p
				where format('%s.%s', p.pronamespace::regnamespace, p.proname) = $1`, call.Function), call.Function)
		}
	}
	require.Greater(t, read, 5)
}

func TestCheckFunctions(t *testing.T) {
	t.Parallel()
	b := setup(t)

	for _, db := range []*sqlapi.DB{b.bot, b.worker, b.dba} {
		require.NoError(t, db.CheckFunctions(t.Context()))
		require.NoError(t, db.Await(t.Context()))
	}
	restored := []string{
		"alter function wallet.their_balance(bigint) rename to balance",
		"alter view ops.jobs rename to job",
		"alter function billing.list_all_prices rename to list_prices",
	}
	for _, change := range []string{
		"alter function wallet.balance(bigint) rename to their_balance",
		"alter view ops.job rename to jobs",
		"alter function billing.list_prices rename to list_all_prices",
	} {
		_, err := b.owner.Exec(t.Context(), change)
		require.NoError(t, err)
	}
	err := b.bot.CheckFunctions(t.Context())
	require.ErrorIs(t, err, sqlapi.ErrMissingFunctions)
	require.ErrorContains(t, err, "wallet.balance does not exist")
	require.ErrorContains(t, err, "ops.job does not exist")
	require.ErrorContains(t, err, "billing.list_prices does not exist")
	require.NotContains(t, err.Error(), "wallet.credit")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.ErrorIs(t, b.bot.Await(ctx), context.DeadlineExceeded)
	awaited := make(chan error, 1)
	go func() { awaited <- b.bot.Await(t.Context()) }()
	_, err = b.owner.Exec(t.Context(), strings.Join(restored, ";"))
	require.NoError(t, err)
	require.NoError(t, <-awaited, "the migrations came while it waited")
}

// TestADatabaseThatIsBehind: its functions may fit, but a migration is missing.
func TestADatabaseThatIsBehind(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.worker.CheckSchema(t.Context()))
	_, err := b.owner.Exec(t.Context(), `delete from public.goose_db_version where version_id = $1`, atlassql.Version())
	require.NoError(t, err)
	err = b.worker.CheckSchema(t.Context())
	require.ErrorIs(t, err, sqlapi.ErrMissingFunctions)
	require.ErrorContains(t, err, fmt.Sprintf("its newest migration is %d, and this release needs %d", atlassql.Version()-1, atlassql.Version()))
	_, err = b.owner.Exec(t.Context(), `insert into public.goose_db_version (version_id, is_applied) values ($1, true)`, atlassql.Version()+7)
	require.NoError(t, err)
	require.NoError(t, b.worker.CheckSchema(t.Context()), "a newer one that has all of it will do")
}

func TestCorrelationIDReachesEveryRowAndStaysNowhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one := b.open(t, harness.BotLogin, func(cfg *sqlapi.Config) { cfg.PoolSize = 1 })

	ctx := obs.WithCorrelationID(t.Context(), "u77")
	_, err := one.Wallet.Credit(ctx, sqlapi.AdjustParams{TelegramID: user, Amount: 50000, AdminID: admin, Note: "gift", Key: "k1"})
	require.NoError(t, err)
	require.Equal(t, "u77", b.text(t, "select correlation_id from ledger.transfer where telegram_id = $1", int64(user)))
	require.NoError(t, one.Ops.SetFeature(ctx, admin, "trials", false))
	require.Equal(t, "u77", b.text(t, "select correlation_id from audit.event where action = 'ops.set_feature'"))

	var left, statementTimeout string
	require.NoError(t, one.Pool().QueryRow(t.Context(), `select coalesce(current_setting('atlas.correlation_id', true), ''),
		current_setting('statement_timeout')`).Scan(&left, &statementTimeout))
	require.Empty(t, left, "the session knows nothing of it")
	require.Equal(t, "15s", statementTimeout, "the role's own")

	_, err = one.Wallet.Credit(t.Context(), sqlapi.AdjustParams{TelegramID: user, Amount: 1, AdminID: admin, Note: "gift", Key: "k2"})
	require.NoError(t, err)
	require.Equal(t, "-", b.text(t,
		"select coalesce(correlation_id, '-') from ledger.transfer where telegram_id = $1 order by version desc limit 1", int64(user)))
	var prepared int
	require.NoError(t, one.Pool().QueryRow(t.Context(), "select count(*) from pg_prepared_statements").Scan(&prepared))
	require.Zero(t, prepared, "nothing prepared by name: any session serves any transaction")
}

func TestRefusalsAreTypedAndAudited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := obs.WithCorrelationID(t.Context(), "u9")
	opened := b.buy(t, "open")

	_, err := b.bot.Billing.PayFromBalance(ctx, user, opened.PurchaseID)
	require.ErrorIs(t, err, atlas.ErrInsufficientFunds)
	require.Equal(t, "0", b.text(t, "select count(*)::text from audit.event where action like 'refused.%'"),
		"having no money is no attack")

	_, err = b.bot.Billing.PayFromBalance(ctx, stranger, opened.PurchaseID)
	require.ErrorIs(t, err, atlas.ErrNoSuchPurchase)
	_, err = b.bot.Wallet.Credit(ctx, sqlapi.AdjustParams{TelegramID: user, Amount: 100, AdminID: stranger, Note: "mine", Key: "k"})
	require.ErrorIs(t, err, atlas.ErrNotAnAdmin)

	rows, err := b.owner.Query(ctx, `select action || ' ' || actor_id || ' ' || subject_id || ' ' || correlation_id || ' ' ||
		(details->>'sqlstate') from audit.event where action like 'refused.%' order by occurred_at`)
	require.NoError(t, err)
	events, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, []string{
		fmt.Sprintf("refused.billing.pay_from_balance 1002 %s u9 PU001", opened.PurchaseID),
		"refused.wallet.credit 1002 1001 u9 US003",
	}, events)
}

func TestABusyLockIsWaitedForAndThenRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fund(t, 50000)
	opened := b.buy(t, "open")
	quick := b.open(t, harness.BotLogin, func(cfg *sqlapi.Config) {
		cfg.LockTimeout = 50 * time.Millisecond
		cfg.StatementTimeout = 5 * time.Second
	})
	tx, err := b.owner.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "select 1 from account.account where telegram_id = $1 for update", int64(user))
	require.NoError(t, err)

	_, err = quick.Billing.PayFromBalance(t.Context(), user, opened.PurchaseID)
	require.ErrorIs(t, err, atlas.ErrLockTimeout, "after all attempts")
	require.NoError(t, tx.Rollback(t.Context()))
	paid, err := quick.Billing.PayFromBalance(t.Context(), user, opened.PurchaseID)
	require.NoError(t, err)
	require.False(t, paid.IsReplay)
}

func TestManyTapsOneCharge(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fund(t, 50000)
	opened := b.buy(t, "open")
	var wait sync.WaitGroup
	replays := make(chan bool, 50)
	for i := range 50 {
		wait.Go(func() {
			paid, err := []*sqlapi.DB{b.bot, b.dba}[i%2].Billing.PayFromBalance(t.Context(), user, opened.PurchaseID)
			if err == nil {
				replays <- paid.IsReplay
			}
		})
	}
	wait.Wait()
	close(replays)
	count := map[bool]int{}
	for isReplay := range replays {
		count[isReplay]++
	}
	require.Equal(t, map[bool]int{false: 1, true: 49}, count)
}

func TestAKilledConnectionIsNotNoticed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fund(t, 50000)
	opened := b.buy(t, "open")
	_, err := b.owner.Exec(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity
		where datname = current_database() and pid <> pg_backend_pid()`)
	require.NoError(t, err)
	_, err = b.bot.Billing.PayFromBalance(t.Context(), user, opened.PurchaseID)
	require.NoError(t, err)
}

func TestADatabaseThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	db := open(t, "postgres://127.0.0.1:1/none?user=u&password=canary&sslmode=disable")
	_, err := db.Wallet.Balance(t.Context(), user)
	require.ErrorIs(t, err, atlas.ErrUnavailable)
	require.NotContains(t, err.Error(), "canary")
	require.ErrorIs(t, db.Ping(t.Context()), atlas.ErrUnavailable)

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, db.Await(ctx), context.DeadlineExceeded, "it waits as long as it may")

	_, err = sqlapi.Open(t.Context(), sqlapi.Config{URL: config.NewSecret("postgres://u:canary@host:notaport/x")})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "canary")
	require.NotErrorIs(t, err, atlas.ErrUnavailable)
}

func TestAnAnswerCountsOnlyWhenItIsCommitted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.owner.Exec(t.Context(), `
create function public.refuse_commit() returns trigger language plpgsql as
  $$ begin raise exception using errcode = 'US002', message = 'at the commit'; end $$;
create constraint trigger refuse_commit after insert on account.account
  deferrable initially deferred for each row execute function public.refuse_commit()`)
	require.NoError(t, err)

	_, err = b.bot.Account.Register(t.Context(), sqlapi.RegisterParams{TelegramID: 3000})
	require.ErrorIs(t, err, atlas.ErrUserIsBlocked)
	_, err = b.bot.Account.Profile(t.Context(), 3000)
	require.ErrorIs(t, err, atlas.ErrNoSuchUser)
}
