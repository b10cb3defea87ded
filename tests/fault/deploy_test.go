package fault_test

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/migrate"
	"atlas-secure/internal/sqlapi"
	atlassql "atlas-secure/sql"
	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

// deployed is a function of the release that TestG13 deploys, beside the one that older callers know.
const deployed = `
-- +goose StatementBegin
create function wallet.balance_v2(p_telegram_id bigint)
returns table (available_kopecks bigint, note text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query select b.available_kopecks, 'new'::text from wallet.balance(p_telegram_id) b;
end
$$;
grant execute on function wallet.balance_v2 to atlas_bot;
-- +goose StatementEnd
`

// nextRelease is the migrations and another release: a column for the tables that purchases use, each in a migration of
// its own, and every function created or replaced in one.
func nextRelease(t *testing.T) fstest.MapFS {
	t.Helper()
	migrations, err := fs.Sub(atlassql.Files, "migrations")
	require.NoError(t, err)
	release := fstest.MapFS{}
	var functions string
	files, err := fs.Glob(migrations, "*.sql")
	require.NoError(t, err)
	for _, file := range files {
		text, err := fs.ReadFile(migrations, file)
		require.NoError(t, err)
		release[file] = &fstest.MapFile{Data: text}
		if strings.HasSuffix(file, "_functions.sql") {
			up, _, _ := strings.Cut(string(text), "-- +goose Down")
			functions += strings.Replace(up, "-- +goose Up", "", 1)
		}
	}
	for i, table := range []string{
		"account.account", "wallet.wallet", "ledger.transfer", "billing.purchase", "billing.payment",
		"subscription.subscription", "outbox.task", "withdrawal.withdrawal",
	} {
		release[fmt.Sprintf("9%04d_column.sql", i)] = &fstest.MapFile{Data: []byte(
			"-- +goose Up\nalter table " + table + " add column of_next_release text;\n")}
	}
	release["99999_functions.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + functions + deployed)}
	return release
}

// TestG13DeployUnderLoad migrates to another release while 16 clients and a bot are at work. They see nothing but what is
// to be tried again; who knows the old release goes on, and who knows the new one finds it.
func TestG13DeployUnderLoad(t *testing.T) {
	b := setup(t)
	b.Shop()
	const replaced = `select count(*) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where n.nspname = any ($1) and p.xmin::text::bigint > $2`
	schemas := []string{"account", "wallet", "promo", "billing", "subscription", "withdrawal", "referral", "vpn", "ops"}
	before := b.owner.Value(`select pg_snapshot_xmax(pg_current_snapshot())::text::bigint`).(int)
	all := b.owner.Value(replaced, schemas, 0).(int)
	old := b.sqlapi(b.DSN(harness.BotLogin), 4)
	deploying, stop := context.WithCancel(t.Context())
	var bot sync.WaitGroup
	calls := 0
	bot.Go(func() {
		for ; deploying.Err() == nil; calls++ {
			_, err := old.Wallet.Credit(t.Context(), sqlapi.AdjustParams{
				TelegramID: anna, Amount: 1, AdminID: boss, Note: "n", Key: fmt.Sprint("g13-", calls)})
			assert.NoError(t, err)
		}
	})
	crowd := b.patientCrowd(b.bots, b.workers, 16, 1200)
	wrong := b.run(crowd, func(ctx context.Context) {
		if moreOperations(ctx, crowd, 300, often) {
			assert.NoError(t, b.migrate(ctx, nextRelease(t)))
		}
	})
	stop()
	bot.Wait()

	require.Equal(t, all+1, b.owner.Value(replaced, schemas, before), "every function is replaced, and one is new")
	require.Equal(t, desk.Rich+calls, b.Available(anna))
	for _, op := range crowd.History().Ops() {
		for _, why := range op.Retried {
			require.Contains(t, []string{"40001", "40P01", "55P03"}, why, op.String())
		}
	}
	for _, db := range []*sqlapi.DB{old, b.sqlapi(b.DSN(harness.BotLogin), 4)} {
		require.NoError(t, db.CheckFunctions(t.Context()))
		_, err := db.Wallet.Balance(t.Context(), anna)
		require.NoError(t, err)
	}
	require.Equal(t, desk.Row{"available_kopecks": desk.Rich + calls, "note": "new"},
		b.On(t, b.bots).One("wallet.balance_v2", desk.A{"p_telegram_id": anna}))
	b.judge(crowd.History(), wrong...)
}

// migrate brings the database to a release, as an operator would: again, while it waits for a lock in vain.
func (b *bundle) migrate(ctx context.Context, release fs.FS) error {
	config := migrate.DefaultConfig()
	config.Timeouts.Lock = time.Second // who waits for a table makes all others wait behind it
	m, err := migrate.Open(ctx, b.DSN(harness.MigratorLogin), config, release)
	if err != nil {
		return err
	}
	defer func() { _ = m.Close() }()
	for attempt := 1; ; attempt++ {
		_, err = m.Up(ctx)
		if err == nil || attempt == 30 || ctx.Err() != nil {
			b.Logf("migrated at the attempt no. %d", attempt)
			return err
		}
	}
}
