package fault_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/postgres"
	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

// folder is one that the server's user may write, until the test ends.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := postgres.MakeFolder()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// server starts one more server, until the test ends.
func server(t *testing.T, options postgres.Options) *postgres.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := postgres.Start(ctx, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return s
}

// superDesk is a superuser's desk at a database of any server.
func (b *bundle) superDesk(s *postgres.Server, database string) *desk.Desk {
	b.Helper()
	pool, err := pgxpool.New(context.Background(), s.SocketDSN(postgres.Superuser, database))
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	return &desk.Desk{TB: b, Conn: pool}
}

// seal seals all that is there, and gives the head.
func seal(d *desk.Desk) desk.Row {
	d.Helper()
	d.One("audit.seal", desk.A{"p_limit": 100000})
	return d.One("audit.head", nil)
}

// verdict is what a chain says of itself, and of a head that was kept.
func verdict(d *desk.Desk, head desk.Row) (alone, against desk.Row) {
	d.Helper()
	return d.One("audit.verify", nil),
		d.One("audit.verify_against", desk.A{"p_sealed": head["sealed_rows"], "p_head": head["head"]})
}

// TestG14RestoreToAnEarlierMoment loses the last minutes: the database is restored from a backup and the archive to a
// moment before some payments. The head that was kept elsewhere tells; the providers, asked for everything they have,
// bring the gap back, once.
func TestG14RestoreToAnEarlierMoment(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	archive, backup := filepath.Join(dir, "%f"), filepath.Join(dir, "backup")
	b := bundleOf(t, harness.NewPrivateWith(t, map[string]string{
		"archive_mode": "on", "archive_command": "cp %p " + archive}))
	b.Shop()
	// What the provider knows: the customers' invoices, paid or not.
	type invoice struct {
		charge, purchase string
	}
	const kopecks = 20000
	var before, gap, young []invoice
	open := func(list *[]invoice, name string) {
		key := fmt.Sprint(name, len(*list))
		*list = append(*list, invoice{"charge of " + key, b.Topup(bert, kopecks, key)})
	}
	for range 5 {
		open(&before, "before")
		open(&gap, "gap")
	}
	pay := func(d *desk.Desk, invoices ...invoice) (firsts int, outcomes map[string]int) {
		outcomes = map[string]int{}
		for _, i := range invoices {
			row := d.Settle(i.charge, i.purchase, kopecks)
			outcomes[row["outcome"].(string)]++
			if row["is_replay"] == false {
				firsts++
			}
		}
		return firsts, outcomes
	}
	pay(b.Desk, before...)
	require.NoError(t, b.Server.BaseBackup(t.Context(), backup))
	b.Credit(bert, 700) // after the backup, before the moment: the archive has it
	seal(b.Desk)
	super := b.super()
	var segment string
	require.NoError(t, super.QueryRow(t.Context(), `select pg_create_restore_point('the moment')::text`).Scan(&segment))

	for range 3 { // bought and paid in the gap: the restored database does not know of the purchase
		open(&young, "young")
	}
	pay(b.Desk, append(gap, young...)...)
	head := seal(b.Desk)
	paid := b.Available(bert)
	require.Equal(t, 13*kopecks+700, paid)
	_, against := verdict(b.Desk, head)
	require.Equal(t, true, against["is_intact"])
	require.NoError(t, super.QueryRow(t.Context(), `select pg_walfile_name(pg_switch_wal())`).Scan(&segment))
	b.until("the archive has everything", `select coalesce(last_archived_wal >= $1, false) from pg_stat_archiver`, segment)
	require.NoError(t, b.Server.Kill())
	t.Cleanup(func() { require.NoError(t, b.Server.Restart(context.Background())) }) // for the harness's look at the books

	restored := server(t, postgres.Options{Durable: true, TCP: true, DataDir: backup, Recover: true,
		Password: b.Server.Password(), Settings: map[string]string{
			"max_connections": "500", "max_locks_per_transaction": "256", // not less than the source's
			"restore_command": "cp " + archive + " %p", "recovery_target_name": "the moment", "recovery_target_action": "promote",
		}})
	d := b.superDesk(restored, b.Database)
	require.Eventually(t, func() bool { return d.Value(`select not pg_is_in_recovery()`).(bool) }, patience, 10*time.Millisecond)
	require.Equal(t, 5*kopecks+700, d.Available(bert))
	alone, against := verdict(d, head)
	require.Equal(t, true, alone["is_intact"], "in itself it is in order")
	require.Equal(t, false, against["is_intact"], "and not what it was")
	t.Logf("the head that was kept says: %v", against["first_bad"])

	all := append(append(append([]invoice{}, before...), gap...), young...)
	firsts, outcomes := pay(d, all...)
	require.Equal(t, len(gap)+len(young), firsts, "the gap, and nothing else")
	require.Equal(t, map[string]int{"applied": 10, "suspense": 3}, outcomes)
	firsts, _ = pay(d, all...)
	require.Zero(t, firsts, "once")
	require.Equal(t, 10*kopecks+700, d.Available(bert))
	for _, row := range d.Query(`select payment_id from billing.payment where outcome = 'suspense'`) {
		for _, isReplay := range []bool{false, true} {
			got := d.One("billing.resolve_suspense", desk.A{"p_admin_id": boss, "p_payment_id": row["payment_id"],
				"p_telegram_id": bert, "p_amount_kopecks": nil, "p_note": "from the provider's list"})
			require.Equal(t, isReplay, got["is_replay"])
		}
	}
	require.Equal(t, paid, d.Available(bert))
	d.Reconciled()
	seal(d)
	alone, against = verdict(d, head)
	require.Equal(t, true, alone["is_intact"])
	require.Equal(t, false, against["is_intact"], "it never becomes what it was")
}

// TestG15DumpAndRestore dumps a database that a crowd has filled and restores it into another database of the server and
// into another server. The books, the balances and the seal say the same there.
func TestG15DumpAndRestore(t *testing.T) {
	b := setup(t)
	other := harness.NewPrivate(t) // has the roles, and a younger transaction counter
	crowd := b.patientCrowd(b.bots, b.workers, 8, 600)
	b.judge(crowd.History(), b.run(crowd)...)
	head := seal(b.Desk)
	wallets := b.owner.Query(`select * from wallet.wallet order by telegram_id`)
	require.NotEmpty(t, wallets)
	dump := filepath.Join(t.TempDir(), "dump")
	b.program("pg_dump", "--format=custom", "--file="+dump, b.DSN(harness.Superuser))

	for name, h := range map[string]*harness.Bundle{"the same server": b.Bundle, "another server": other} {
		d, dsn := b.emptyDatabase(h)
		b.program("pg_restore", "--exit-on-error", "--single-transaction", "--dbname="+dsn, dump)
		require.Equal(t, wallets, d.Query(`select * from wallet.wallet order by telegram_id`), name)
		d.Reconciled()
		if h == other {
			alone, _ := verdict(d, head)
			require.Equal(t, false, alone["is_intact"])
			require.Contains(t, alone["first_bad"], "transaction counter")
			require.NoError(t, h.Server.WhileStopped(t.Context(), "pg_resetwal", "-e", "1"))
			d.Conn.(*pgxpool.Pool).Reset()
		}
		intact := func() {
			t.Helper()
			alone, against := verdict(d, head)
			require.Equal(t, true, alone["is_intact"], "%s: %v", name, alone)
			require.Equal(t, true, against["is_intact"], "%s: %v", name, against)
		}
		intact()
		d.One("wallet.credit", desk.A{"p_telegram_id": crowd.History().First, "p_amount_kopecks": 5, "p_admin_id": 11,
			"p_note": "after the restore", "p_idempotency_key": "after the restore"})
		require.Greater(t, seal(d)["sealed_rows"], head["sealed_rows"], "sealing goes on")
		intact()
	}
}

// emptyDatabase makes one more database on a bundle's server, until the test ends.
func (b *bundle) emptyDatabase(h *harness.Bundle) (*desk.Desk, string) {
	b.Helper()
	admin, err := pgx.Connect(context.Background(), h.DSN(harness.Superuser))
	require.NoError(b, err)
	name := h.Database + "_restored"
	_, err = admin.Exec(context.Background(), "create database "+name+" template template0")
	require.NoError(b, err)
	require.NoError(b, admin.Close(context.Background()))
	b.Cleanup(func() {
		admin, err := pgx.Connect(context.Background(), h.DSN(harness.Superuser))
		require.NoError(b, err)
		defer func() { _ = admin.Close(context.Background()) }()
		_, err = admin.Exec(context.Background(), "drop database "+name+" with (force)")
		require.NoError(b, err)
	})
	dsn := strings.Replace(h.DSN(harness.Superuser), "/"+h.Database, "/"+name, 1)
	pool, err := pgxpool.New(context.Background(), dsn)
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	return &desk.Desk{TB: b, Conn: pool}, dsn
}

// program runs a client program of the newest of this machine's servers.
func (b *bundle) program(name string, args ...string) {
	b.Helper()
	dir, err := postgres.FindBinDir(context.Background(), 0)
	require.NoError(b, err)
	out, err := exec.Command(filepath.Join(dir, name), args...).CombinedOutput()
	require.NoError(b, err, "%s: %s", name, out)
}
