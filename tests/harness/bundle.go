package harness

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"atlas-secure/internal/sandbox/postgres"
)

const poolSize = 64

// Bundle is a database of its own for one test, with a pool per role. Pools connect when first used.
type Bundle struct {
	// Database is its name.
	Database string

	Owner, Bot, Payments, Admin, Worker, Auditor, DBA *pgxpool.Pool

	// Server can be killed and started again; only a bundle of NewPrivate has one.
	Server *postgres.Server

	server *server
	wrong  string
}

// New clones the template database for a test. When the test ends, its books are reconciled and it is dropped.
func New(t testing.TB) *Bundle {
	t.Helper()
	return newOn(t, sharedPostgres(t))
}

// NewPrivate is New on a server that this test alone uses and may kill. It is durable, as in production,
// and always made of programs on this machine.
func NewPrivate(t testing.TB) *Bundle {
	t.Helper()
	return NewPrivateWith(t, nil)
}

// NewPrivateWith is NewPrivate with settings of the server, by name.
func NewPrivateWith(t testing.TB, settings map[string]string) *Bundle {
	t.Helper()
	return newPrivate(t, postgres.Options{Settings: settings})
}

// NewPrivateLog is NewPrivateWith on a server whose write-ahead log is in a folder of its own, which the server's user may
// write.
func NewPrivateLog(t testing.TB, walDir string, settings map[string]string) *Bundle {
	t.Helper()
	return newPrivate(t, postgres.Options{Settings: settings, WALDir: walDir})
}

func newPrivate(t testing.TB, options postgres.Options) *Bundle {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	options.Durable = true
	s, err := localPostgres(ctx, options)
	if err != nil {
		t.Fatalf("harness: a private server: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanUpLimit)
		defer cancel()
		if err := s.stop(ctx); err != nil {
			t.Errorf("harness: stop the private server: %v", err)
		}
	})
	b := newOn(t, s)
	b.Server = s.local
	return b
}

func newOn(t testing.TB, s *server) *Bundle {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	shared.mu.Lock()
	err := s.ensureTemplate(ctx)
	shared.mu.Unlock()
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	name, err := s.clone(ctx)
	b := &Bundle{Database: name, server: s}
	if name != "" {
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), cleanUpLimit)
			defer cancel()
			if err := errors.Join(b.server.collect(ctx, name), b.server.drop(ctx, name)); err != nil {
				t.Errorf("harness: %v", err)
			}
		})
	}
	if err == nil {
		err = s.plant(ctx, t, name)
	}
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	b.openPools(t)
	t.Cleanup(func() { b.reconcile(t) })
	return b
}

func (b *Bundle) openPools(t testing.TB) {
	t.Helper()
	for role, pool := range map[Role]**pgxpool.Pool{
		Owner: &b.Owner, Bot: &b.Bot, Payments: &b.Payments, Admin: &b.Admin,
		Worker: &b.Worker, Auditor: &b.Auditor, DBA: &b.DBA,
	} {
		*pool = b.Pool(t, role)
	}
}

// DSN is the connection URL of a login role for the test's database.
func (b *Bundle) DSN(role Role) string { return b.server.dsn(role, b.Database) }

// Pool opens a pool for a role; it is closed when the test ends. A pool of Owner acts as atlas_owner.
func (b *Bundle) Pool(t testing.TB, role Role) *pgxpool.Pool {
	t.Helper()
	return openPool(t, b.DSN(role), role)
}

func openPool(t testing.TB, dsn string, role Role) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	config.MaxConns = poolSize
	config.MinConns = 0
	if role == Owner {
		config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "set role "+ownerGroup)
			return err
		}
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// BooksAreWrong says that this test breaks the books on purpose, and why: they are not reconciled when it ends.
func (b *Bundle) BooksAreWrong(why string) { b.wrong = why }

// Problem is one row of ops.reconcile().
type Problem struct {
	CheckName, Subject, Detail string
}

// Reconcile returns what ops.reconcile() finds wrong now.
func (b *Bundle) Reconcile(ctx context.Context) ([]Problem, error) {
	conn, err := pgx.Connect(ctx, b.DSN(Superuser))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	rows, err := conn.Query(ctx, "select check_name, subject, detail from ops.reconcile()")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Problem])
}

func (b *Bundle) reconcile(t testing.TB) {
	t.Helper()
	if b.wrong != "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), cleanUpLimit)
	defer cancel()
	problems, err := b.Reconcile(ctx)
	if err != nil {
		t.Errorf("harness: reconcile: %v", err)
		return
	}
	if len(problems) == 0 {
		return
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = "  " + p.CheckName + " | " + p.Subject + " | " + p.Detail
	}
	t.Errorf("harness: the books are wrong:\n%s", strings.Join(lines, "\n"))
}
