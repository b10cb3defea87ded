package fault_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/tests/harness"
	"atlas-secure/tests/load"
)

// bouncerPool is how many sessions of the server the clients of one role share.
const bouncerPool = 2

// TestG10PgBouncer lets 200 clients share two sessions of each login, through a PgBouncer that dies in the middle. Half of
// them call as internal/sqlapi does, with settings before the call in the same implicit transaction: nobody else may find
// these, and nothing may be left locked or waiting.
func TestG10PgBouncer(t *testing.T) {
	b := setup(t)
	bouncer := b.PgBouncer(t, bouncerPool)
	bots := bouncer.Pool(t, harness.BotLogin, 80)
	crowd := b.patientCrowd(bots, bouncer.Pool(t, harness.WorkerLogin, 20), 100, 1500)
	b.User(boss)
	b.One("account.grant_admin", map[string]any{"p_telegram_id": boss, "p_note": "n"})
	b.User(anna)
	named := b.sqlapi(bouncer.DSN(harness.BotLogin), 100)

	var credited sync.WaitGroup
	for i := range 100 {
		credited.Go(func() {
			for j := range 5 * load.Factor(t) {
				assert.NoError(t, credit(named, fmt.Sprintf("g10-%d-%d", i, j)))
			}
		})
	}
	wrong := b.run(crowd, func(ctx context.Context) {
		if moreOperations(ctx, crowd, 500, often) {
			assert.NoError(t, bouncer.Kill())
			assert.NoError(t, bouncer.Restart(ctx))
		}
	})
	credited.Wait()
	require.Positive(t, unknowns(crowd.History().Ops()), "nobody noticed that PgBouncer died")
	require.Equal(t, 500*load.Factor(t), b.Available(anna))

	require.Equal(t, 500*load.Factor(t), b.owner.Value(`select count(*) from audit.event
		where correlation_id like 'g10-%' and details ->> 'idempotency_key' = correlation_id`), "each under its own name")
	require.Equal(t, 0, b.owner.Value(`select count(*) from audit.event where correlation_id is not null
		and details ->> 'idempotency_key' is distinct from correlation_id`), "nobody under another's")
	require.Equal(t, 0, b.owner.Value(`select count(*) from pg_locks l join pg_database d on d.oid = l.database
		where d.datname = current_database() and l.locktype = 'advisory'`))
	require.Empty(t, leaks(t, bots))
	_, err := bots.Exec(t.Context(), `select set_config('atlas.correlation_id', 'left behind', false)`)
	require.NoError(t, err)
	require.NotEmpty(t, leaks(t, bots), "a setting that is left behind is found")
	b.judge(crowd.History(), wrong...)
}

// credit gives anna a kopeck in the name of a correlation id, asking until it is sure.
func credit(bot *sqlapi.DB, id string) error {
	ctx, cancel := context.WithTimeout(obs.WithCorrelationID(context.Background(), id), patience)
	defer cancel()
	for {
		_, err := bot.Wallet.Credit(ctx, sqlapi.AdjustParams{TelegramID: anna, Amount: 1, AdminID: boss, Note: id, Key: id})
		if !errors.Is(err, atlas.ErrUnavailable) || ctx.Err() != nil {
			return err
		}
	}
}

// leaks are the settings of single calls that sessions behind PgBouncer still have. Clients who ask at once reach all of
// them.
func leaks(t *testing.T, bots *pgxpool.Pool) map[string]bool {
	t.Helper()
	var mu sync.Mutex
	found, sessions := map[string]bool{}, map[int]bool{}
	var all sync.WaitGroup
	for range 10 * bouncerPool {
		all.Go(func() {
			var pid int
			var value string
			err := bots.QueryRow(t.Context(), `select pg_backend_pid(), coalesce(current_setting('atlas.correlation_id', true), '')
				from pg_sleep(0.01)`).Scan(&pid, &value)
			mu.Lock()
			defer mu.Unlock()
			sessions[pid] = assert.NoError(t, err)
			if value != "" {
				found[value] = true
			}
		})
	}
	all.Wait()
	require.Len(t, sessions, bouncerPool)
	return found
}
