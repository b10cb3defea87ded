package postgres_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/postgres"
)

type bundle struct {
	ctx    context.Context
	server *postgres.Server
}

func setup(t *testing.T, opts postgres.Options) bundle {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	server, err := postgres.Start(ctx, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	return bundle{ctx: ctx, server: server}
}

func (b bundle) exec(t *testing.T, dsn, sql string) {
	t.Helper()
	conn, err := pgx.Connect(b.ctx, dsn)
	require.NoError(t, err)
	defer func() { _ = conn.Close(b.ctx) }()
	_, err = conn.Exec(b.ctx, sql)
	require.NoError(t, err)
}

func (b bundle) scan(t *testing.T, dsn, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(b.ctx, dsn)
	require.NoError(t, err)
	defer func() { _ = conn.Close(b.ctx) }()
	var answer string
	require.NoError(t, conn.QueryRow(b.ctx, sql).Scan(&answer))
	return answer
}

// openFolder is a folder that the server's user may enter, unlike t.TempDir's parents when root tests.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "atlas-launcher-test-") //nolint:usetesting // see above
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

func TestTemporaryServerLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Options{})
	dsn := b.server.DSN(postgres.Superuser, "postgres")
	require.Equal(t, "off", b.scan(t, dsn, "show fsync"))
	folder := b.scan(t, dsn, "show unix_socket_directories")
	info, err := os.Stat(folder)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "only the server's user may enter")
	require.LessOrEqual(t, len(filepath.Join(folder, ".s.PGSQL.65535")), 107, "the path of a unix socket")

	require.NoError(t, b.server.Stop(b.ctx))
	require.NoDirExists(t, folder)
	require.NoError(t, b.server.Stop(b.ctx), "stopping again is no error")
}

func TestTCPNeedsThePassword(t *testing.T) {
	t.Parallel()
	b := setup(t, postgres.Options{TCP: true})
	dsn := b.server.DSN(postgres.Superuser, "postgres")
	require.Contains(t, dsn, "127.0.0.1")
	require.Equal(t, "1", b.scan(t, dsn, "select 1::text"))
	require.Equal(t, "1", b.scan(t, b.server.SocketDSN(postgres.Superuser, "postgres"), "select 1::text"))

	conn, err := pgx.Connect(b.ctx, strings.Replace(dsn, b.server.Password(), "wrong", 1))
	if err == nil {
		_ = conn.Close(b.ctx)
	}
	require.ErrorContains(t, err, "password authentication failed")
}

func TestDurableDataSurvivesKillAndStop(t *testing.T) {
	t.Parallel()
	opts := postgres.Options{Durable: true, DataDir: filepath.Join(openFolder(t), "data")}
	b := setup(t, opts)
	dsn := b.server.DSN(postgres.Superuser, "postgres")
	require.Equal(t, "on", b.scan(t, dsn, "show fsync"))
	b.exec(t, dsn, "create table kept (answer text); insert into kept values ('killed')")

	require.NoError(t, b.server.Kill())
	<-b.server.Done()
	require.NoError(t, b.server.Restart(b.ctx))
	require.Equal(t, "killed", b.scan(t, dsn, "select answer from kept"))

	b.exec(t, dsn, "update kept set answer = 'stopped'")
	require.NoError(t, b.server.Stop(b.ctx))
	again := setup(t, opts)
	require.Equal(t, "stopped", again.scan(t, again.server.DSN(postgres.Superuser, "postgres"), "select answer from kept"))
}

func TestDSNOfSocketAndOfHost(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		postgres.DSN("/tmp/some dir", 5432, "atlas_bot_login", "", "atlas"),
		postgres.DSN("127.0.0.1", 6000, "atlas_bot_login", "p@ss/word", "atlas"),
	} {
		config, err := pgx.ParseConfig(dsn)
		require.NoError(t, err, dsn)
		require.Equal(t, "atlas", config.Database)
		require.Equal(t, "atlas_bot_login", config.User)
	}
	config, err := pgx.ParseConfig(postgres.DSN("/tmp/some dir", 5433, "a", "", "b"))
	require.NoError(t, err)
	require.Equal(t, "/tmp/some dir", config.Host)
	require.Equal(t, uint16(5433), config.Port)
}
