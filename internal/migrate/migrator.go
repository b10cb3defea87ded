package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Migrator replays migrations on one database, under a session lock: several at once on the same
// database all succeed, one after another.
type Migrator struct {
	db       *sql.DB
	provider *goose.Provider
}

// Step is one migration that was applied or taken back.
type Step struct {
	Version  int64
	File     string
	Duration time.Duration
}

// State is one known migration and when it was applied; a zero time means pending.
type State struct {
	Version   int64
	File      string
	AppliedAt time.Time
}

// Open connects to the database of the DSN and reads the migrations in fsys (its top folder). The
// session acts as the configured role, so that every object has the same owner whoever migrates.
func Open(ctx context.Context, dsn string, c Config, migrations fs.FS) (*Migrator, error) {
	connConfig, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err) // pgx keeps the password out of it
	}
	connConfig.ConnectTimeout = c.Timeouts.Connect
	locker, err := lock.NewPostgresSessionLocker(
		lock.WithLockID(c.Lock.ID),
		lock.WithLockTimeout(uint64(c.Lock.Poll/time.Second), uint64(c.Lock.Wait/c.Lock.Poll)), //nolint:gosec // positive, by validate
	)
	if err != nil {
		return nil, fmt.Errorf("session lock: %w", err)
	}
	db := stdlib.OpenDB(*connConfig, stdlib.OptionAfterConnect(c.prepareSession))
	db.SetMaxOpenConns(2)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect: %w", err), db.Close())
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations,
		goose.WithTableName(c.Table), goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read migrations: %w", err), db.Close())
	}
	return &Migrator{db: db, provider: provider}, nil
}

// prepareSession runs on each new connection.
func (c Config) prepareSession(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `select set_config('role', $1, false), set_config('lock_timeout', $2, false),
		set_config('statement_timeout', $3, false), set_config('application_name', 'atlas-migrate', false)`,
		c.Role, milliseconds(c.Timeouts.Lock), milliseconds(c.Timeouts.Statement))
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == "22023" && strings.Contains(pgErr.Message, c.Role) {
		return fmt.Errorf("role %s: run deploy/postgres/roles.sql on this database first: %w", c.Role, err)
	}
	if err != nil {
		return fmt.Errorf("act as %s: %w", c.Role, err)
	}
	return nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Close disconnects.
func (m *Migrator) Close() error {
	if err := m.db.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// Up applies all pending migrations.
func (m *Migrator) Up(ctx context.Context) ([]Step, error) {
	results, err := m.provider.Up(ctx)
	return steps(results), explain(err)
}

// UpTo applies pending migrations up to a version.
func (m *Migrator) UpTo(ctx context.Context, version int64) ([]Step, error) {
	results, err := m.provider.UpTo(ctx, version)
	return steps(results), explain(err)
}

// DownTo takes migrations back until version is the newest that is applied; 0 takes back all.
func (m *Migrator) DownTo(ctx context.Context, version int64) ([]Step, error) {
	results, err := m.provider.DownTo(ctx, version)
	return steps(results), explain(err)
}

// Down takes back the newest migration.
func (m *Migrator) Down(ctx context.Context) ([]Step, error) {
	result, err := m.provider.Down(ctx)
	if errors.Is(err, goose.ErrNoNextVersion) {
		return nil, nil
	}
	if err != nil {
		return nil, explain(err)
	}
	return steps([]*goose.MigrationResult{result}), nil
}

// Status lists all known migrations in order.
func (m *Migrator) Status(ctx context.Context) ([]State, error) {
	all, err := m.provider.Status(ctx)
	if err != nil {
		return nil, explain(err)
	}
	states := make([]State, len(all))
	for i, s := range all {
		states[i] = State{Version: s.Source.Version, File: s.Source.Path, AppliedAt: s.AppliedAt}
	}
	return states, nil
}

// Versions lists the versions of all known migrations, ascending.
func (m *Migrator) Versions() []int64 {
	var versions []int64
	for _, s := range m.provider.ListSources() {
		versions = append(versions, s.Version)
	}
	return versions
}

func steps(results []*goose.MigrationResult) []Step {
	var done []Step
	for _, r := range results {
		if r.Error == nil {
			done = append(done, Step{Version: r.Source.Version, File: r.Source.Path, Duration: r.Duration})
		}
	}
	return done
}

// explain adds what PostgreSQL said beside its message, and where in the statement.
func explain(err error) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return err
	}
	var more []string
	for _, s := range []string{pgErr.Detail, pgErr.Hint, pgErr.Where} {
		if s != "" {
			more = append(more, s)
		}
	}
	if len(more) == 0 {
		return err
	}
	return fmt.Errorf("%w (%s)", err, strings.Join(more, "; "))
}
