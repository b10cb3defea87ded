package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/postgres"
)

// eventually waits until a query gives this answer.
func (b bundle) eventually(t *testing.T, want, dsn, sql string) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for b.scan(t, dsn, sql) != want {
		select {
		case <-ticker.C:
		case <-b.ctx.Done():
			require.NoError(t, errors.New("timed out"), "%s must become %s", sql, want)
		}
	}
}

func TestStandbyFollowsAndIsPromoted(t *testing.T) {
	t.Parallel()
	primary := setup(t, postgres.Options{TCP: true})
	from := primary.server.DSN(postgres.Superuser, "postgres")
	primary.exec(t, from, "create table kept (answer text); insert into kept values ('before')")
	standby := setup(t, postgres.Options{
		TCP: true, CopyOf: from, Standby: true, Password: primary.server.Password(),
	})
	to := standby.server.DSN(postgres.Superuser, "postgres")
	require.Equal(t, "before", standby.scan(t, to, "select answer from kept"))
	primary.exec(t, from, "update kept set answer = 'after'")
	standby.eventually(t, "after", to, "select answer from kept")
	require.Equal(t, "true", standby.scan(t, to, "select pg_is_in_recovery()::text"))

	require.NoError(t, primary.server.Kill())
	require.NoError(t, standby.server.Promote(standby.ctx))
	standby.exec(t, to, "update kept set answer = 'promoted'")
	require.NoError(t, standby.server.Restart(standby.ctx))
	require.Equal(t, "promoted", standby.scan(t, to, "select answer from kept"))
	require.NoError(t, primary.server.Restart(primary.ctx), "the old one comes back, for what it is worth")
	require.Equal(t, "after", primary.scan(t, from, "select answer from kept"))
}

func TestRecoveryToAnEarlierMoment(t *testing.T) {
	t.Parallel()
	folder, err := postgres.MakeFolder()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	archive, backup := folder, filepath.Join(folder, "backup")
	b := setup(t, postgres.Options{TCP: true, Settings: map[string]string{
		"archive_mode": "on", "archive_command": "cp %p " + archive + "/%f",
	}})
	dsn := b.server.DSN(postgres.Superuser, "postgres")
	b.exec(t, dsn, "create table kept (answer text); insert into kept values ('early')")
	require.NoError(t, b.server.BaseBackup(b.ctx, backup))
	b.exec(t, dsn, "update kept set answer = 'kept'")
	b.exec(t, dsn, "select pg_create_restore_point('here')")
	b.exec(t, dsn, "update kept set answer = 'lost'")
	segment := b.scan(t, dsn, "select pg_walfile_name(pg_switch_wal())")
	b.eventually(t, "true", dsn, fmt.Sprintf("select (last_archived_wal >= '%s')::text from pg_stat_archiver", segment))

	restored := setup(t, postgres.Options{
		TCP: true, DataDir: backup, Recover: true, Password: b.server.Password(), Settings: map[string]string{
			"restore_command": "cp " + archive + "/%f %p", "recovery_target_name": "here", "recovery_target_action": "promote",
		}})
	again := restored.server.DSN(postgres.Superuser, "postgres")
	restored.eventually(t, "false", again, "select pg_is_in_recovery()::text")
	require.Equal(t, "kept", restored.scan(t, again, "select answer from kept"))
}

func TestFrozenServerAnswersNothingAndGoesOn(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Options{})
	dsn := b.server.DSN(postgres.Superuser, "postgres")
	conn, err := pgx.Connect(b.ctx, dsn)
	require.NoError(t, err)
	defer func() { _ = conn.Close(b.ctx) }()
	require.NoError(t, b.server.Freeze())
	answered := make(chan error, 1)
	go func() {
		_, err := conn.Exec(b.ctx, "select 1")
		answered <- err
	}()
	short, cancel := context.WithTimeout(b.ctx, 200*time.Millisecond)
	defer cancel()
	_, err = pgx.Connect(short, dsn)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Empty(t, answered)
	require.NoError(t, b.server.Thaw())
	require.NoError(t, <-answered)
	require.NoError(t, b.server.Freeze())
	require.NoError(t, b.server.Stop(b.ctx), "a frozen one is let go on first")
}
