package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"atlas-secure/internal/sandbox/port"
	"atlas-secure/internal/sandbox/postgres"
	"atlas-secure/internal/sandbox/process"
)

const (
	bouncerGrace = 5 * time.Second
	bouncerPoll  = 10 * time.Millisecond
	bouncerHint  = "PgBouncer is not installed; type:  sudo apt-get install -y pgbouncer"
)

// PgBouncer is a PgBouncer in transaction mode before a test's database: a client has a connection to the server only
// while a transaction of its runs, and gets whichever is free for the next one.
type PgBouncer struct {
	bundle *Bundle
	path   string
	user   *process.User
	dir    string
	kept   *port.Reservation
	proc   *process.Process
}

// PgBouncer starts one with so many connections to the server for each role. It ends with the test.
func (b *Bundle) PgBouncer(t testing.TB, poolSize int) *PgBouncer {
	t.Helper()
	p := &PgBouncer{bundle: b}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Errorf("harness: stop PgBouncer: %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	err := p.prepare(poolSize)
	if err == nil {
		err = p.Restart(ctx)
	}
	if err != nil {
		t.Fatalf("harness: PgBouncer: %v", err)
	}
	return p
}

func (p *PgBouncer) prepare(poolSize int) (err error) {
	if p.path, err = findBouncer(); err != nil {
		return err
	}
	if p.user, err = process.Unprivileged("postgres", "nobody"); err != nil { // it refuses to run as root
		return err
	}
	if p.dir, err = os.MkdirTemp("/tmp", "atlas-bouncer-"); err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	if p.kept, err = port.Reserve(0); err != nil {
		return err
	}
	for name, text := range map[string]string{"bouncer.ini": p.settings(poolSize), "users.txt": p.users()} {
		// Readable by its user; the folder is closed to all others.
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return p.user.Own(p.dir)
}

func findBouncer() (string, error) {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} { // not in everybody's PATH
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New(bouncerHint)
}

func (p *PgBouncer) settings(poolSize int) string {
	auth := "scram-sha-256"
	if p.bundle.server.password == "" {
		auth = "trust"
	}
	return fmt.Sprintf(`[databases]
* = host=%s port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = %s
auth_file = %s
admin_users = %s
pool_mode = transaction
default_pool_size = %d
max_client_conn = 1000
server_login_retry = 1
`, p.bundle.server.host, p.bundle.server.port, p.kept.Number, auth, filepath.Join(p.dir, "users.txt"), Superuser, poolSize)
}

func (p *PgBouncer) users() string {
	var b strings.Builder
	roles := append(loginRoles(), Superuser)
	for _, role := range roles {
		fmt.Fprintf(&b, "%q %q\n", string(role), p.bundle.server.passwordOf(role))
	}
	return b.String()
}

// Kill ends PgBouncer as a crash would: its clients lose their connections.
func (p *PgBouncer) Kill() error { return p.proc.Kill() }

// Restart starts a PgBouncer that has ended again, at the same address, and waits until it answers.
func (p *PgBouncer) Restart(ctx context.Context) error {
	logPath := filepath.Join(p.dir, "bouncer.log")
	log, err := process.LogFile(logPath)
	if err != nil {
		return err
	}
	p.proc, err = process.Start(process.Spec{
		Path: p.path, Args: []string{filepath.Join(p.dir, "bouncer.ini")}, Env: []string{"LC_ALL=C"}, Dir: p.dir,
		User: p.user, Output: log,
	})
	if err != nil {
		return err
	}
	ticker := time.NewTicker(bouncerPoll)
	defer ticker.Stop()
	for {
		admin, err := p.Admin(ctx)
		if err == nil {
			return admin.Close(ctx)
		}
		select {
		case <-p.proc.Done():
			return fmt.Errorf("it ended: %s", process.Tail(logPath, 5))
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w: %s", err, process.Tail(logPath, 5))
		case <-ticker.C:
		}
	}
}

func (p *PgBouncer) stop() error {
	var err error
	if p.proc != nil {
		err = p.proc.Stop(context.Background(), bouncerGrace)
	}
	err = errors.Join(err, p.kept.Close())
	if p.dir == "" {
		return err
	}
	return errors.Join(err, os.RemoveAll(p.dir))
}

// Admin connects to PgBouncer's console, for SHOW POOLS and the like.
func (p *PgBouncer) Admin(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(p.dsn(Superuser, "pgbouncer"))
	if err != nil {
		return nil, err
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // the console knows no other
	return pgx.ConnectConfig(ctx, config)
}

// DSN is the connection URL of a login role through PgBouncer.
func (p *PgBouncer) DSN(role Role) string { return p.dsn(role, p.bundle.Database) }

func (p *PgBouncer) dsn(role Role, database string) string {
	return postgres.DSN("127.0.0.1", p.kept.Number, string(role), p.bundle.server.passwordOf(role), database)
}

// Pool is a pool of clients of PgBouncer, with at most so many connections, closed when the test ends. Statements are
// described, not prepared, as internal/sqlapi does it: a prepared one would be looked for in another session.
func (p *PgBouncer) Pool(t testing.TB, role Role, size int) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(p.DSN(role))
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	config.MaxConns = int32(size)
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}
