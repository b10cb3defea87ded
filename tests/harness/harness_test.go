package harness_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute) // finding a server included
	t.Cleanup(cancel)
	return ctx
}

const register = `select telegram_id from account.register(
	p_telegram_id => $1, p_username => null, p_language => 'en', p_start_payload => null)`

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	one, other := harness.New(t), harness.New(t)
	require.NotEqual(t, one.Database, other.Database)
	var id int64
	require.NoError(t, one.Bot.QueryRow(ctx, register, 7001).Scan(&id))
	count := func(h *harness.Bundle) (n int) {
		require.NoError(t, h.Owner.QueryRow(ctx, `select count(*) from account.account`).Scan(&n))
		return n
	}
	require.Equal(t, 1, count(one))
	require.Equal(t, 0, count(other))
}

func TestCloneHasTheGrantsAndSettingsOfTheTemplate(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	h := harness.New(t)
	show := func(name string) (value string) {
		require.NoError(t, h.Bot.QueryRow(ctx, `select current_setting($1)`, name).Scan(&value))
		return value
	}
	require.Equal(t, "pl", show("track_functions"))
	_, err := h.Bot.Exec(ctx, `do $$ declare v_one int; begin select n into v_one from generate_series(1, 2) n; end $$`)
	require.Equal(t, "P0003", sqlState(t, err), "plpgsql.extra_errors is all: too many rows are an error")

	_, err = h.Bot.Exec(ctx, `create temporary table shadow (id int)`)
	require.Equal(t, "42501", sqlState(t, err), "TEMP is revoked")
	var owner string
	require.NoError(t, h.Owner.QueryRow(ctx, `select current_user`).Scan(&owner))
	require.Equal(t, "atlas_owner", owner)
}

func TestEveryRoleLogsIn(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	h := harness.New(t)
	for _, role := range []harness.Role{
		harness.Owner, harness.Bot, harness.Payments, harness.Admin, harness.Worker, harness.Auditor, harness.DBA,
		harness.MigratorLogin, harness.BotLogin, harness.WorkerLogin, harness.AuditorLogin, harness.DBALogin,
	} {
		var me string
		require.NoError(t, h.Pool(t, role).QueryRow(ctx, `select session_user`).Scan(&me), role)
		require.Equal(t, string(role), me)
	}
}

// recorder stands in for a test whose failure is what is tested.
type recorder struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) finish() {
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
}

func TestWrongBooksFailTheTest(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	spoil := func(r *recorder) *harness.Bundle {
		h := harness.New(r)
		var id int64
		require.NoError(t, h.Bot.QueryRow(ctx, register, 7001).Scan(&id))
		_, err := h.Owner.Exec(ctx, `update wallet.wallet set available_kopecks = 5 where telegram_id = $1`, id)
		require.NoError(t, err)
		return h
	}

	noticed := &recorder{TB: t}
	spoil(noticed)
	noticed.finish()
	require.Len(t, noticed.failures, 1)
	require.Contains(t, noticed.failures[0], "7001")

	allowed := &recorder{TB: t}
	spoil(allowed).BooksAreWrong("this test says so")
	allowed.finish()
	require.Empty(t, allowed.failures)
}

func TestPrivateServerSurvivesKill(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	h := harness.NewPrivate(t)
	var id int64
	require.NoError(t, h.Bot.QueryRow(ctx, register, 7001).Scan(&id))
	require.NoError(t, h.Server.Kill())
	require.NoError(t, h.Server.Restart(ctx))
	h.Bot.Reset()
	var found int64
	require.NoError(t, h.Bot.QueryRow(ctx, `select telegram_id from account.profile(p_telegram_id => $1)`, id).Scan(&found))
	require.Equal(t, id, found)
}

func TestRedisDatabasesAreApart(t *testing.T) {
	t.Parallel()
	ctx := deadline(t)
	one, other := harness.Redis(t), harness.Redis(t)
	require.NotEqual(t, one.URL, other.URL)
	require.NoError(t, one.Client.Set(ctx, "key", "value", 0).Err())
	n, err := other.Client.Exists(ctx, "key").Result()
	require.NoError(t, err)
	require.Zero(t, n)
}

func sqlState(t *testing.T, err error) string {
	t.Helper()
	var pgErr *pgconn.PgError
	require.ErrorAs(t, err, &pgErr)
	return pgErr.Code
}
