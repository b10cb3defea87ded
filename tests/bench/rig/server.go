// Package rig is what the figures are measured with: a private, durable server with two databases, pgbench as the one
// client of all, and the counters of CPU and WAL.
package rig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	deploy "atlas-secure/deploy/postgres"
	"atlas-secure/internal/migrate"
	"atlas-secure/internal/sandbox/postgres"
	atlassql "atlas-secure/sql"
)

// The databases: ours, twice, and the one of pgbench's own transaction.
const (
	Atlas    = "atlas"
	TPCB     = "tpcb"
	Renewals = "renewals" // ours again, for what moves the clock
)

// The roles that pgbench connects as.
const (
	BotLogin    = "atlas_bot_login"    // may call the functions
	WorkerLogin = "atlas_worker_login" // the jobs
	OwnerLogin  = "atlas_bench_owner"  // acts as the owner of the tables: for separate statements
	Superuser   = postgres.Superuser   // for pgbench's own tables
)

const stopLimit = time.Minute

// Settings are the server's, beside those of its launcher: no checkpoint and no autovacuum falls into one figure and not
// into another. Commits are flushed as in production.
func Settings() map[string]string {
	return map[string]string{
		"shared_buffers": "1GB", "max_wal_size": "16GB", "min_wal_size": "2GB", "checkpoint_timeout": "1h",
		"autovacuum": "off", "max_connections": "200",
	}
}

// Server is a private server with the databases of the measurements.
type Server struct {
	*postgres.Server
	Database // ours
}

// Database is one of its databases.
type Database struct {
	// Control is the superuser's connection.
	Control *pgx.Conn
}

// Start starts the server and makes our database, migrated. Settings win over those of Settings().
func Start(ctx context.Context, settings map[string]string) (*Server, error) {
	all := Settings()
	maps.Copy(all, settings)
	started, err := postgres.Start(ctx, postgres.Options{Durable: true, TCP: true, Settings: all})
	if err != nil {
		return nil, fmt.Errorf("start a server: %w", err)
	}
	s := &Server{Server: started}
	if started.BinDir() == "" {
		err = errors.New("figures need Postgres and pgbench installed on this machine (Debian: apt-get install postgresql)")
	} else {
		err = s.prepare(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop(ctx))
	}
	return s, nil
}

// Stop ends the server and removes its data.
func (s *Server) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	if s.Control != nil {
		_ = s.Control.Close(ctx)
	}
	return s.Server.Stop(ctx)
}

// Program is the path of a program of the server's version.
func (s *Server) Program(name string) string { return filepath.Join(s.BinDir(), name) }

func (s *Server) prepare(ctx context.Context) error {
	conn, err := s.Connect(ctx, Superuser, "postgres")
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, name := range []string{Atlas, Renewals, TPCB} {
		if _, err := conn.Exec(ctx, "create database "+name); err != nil {
			return fmt.Errorf("create database %s: %w", name, err)
		}
	}
	for _, name := range []string{Renewals, Atlas} { // the last one stays connected
		if s.Control != nil {
			_ = s.Control.Close(ctx)
		}
		if s.Control, err = s.Connect(ctx, Superuser, name); err != nil {
			return err
		}
		if err := s.Exec(ctx, deploy.Roles, deploy.Logins); err != nil {
			return err
		}
		if err := s.migrate(ctx, name); err != nil {
			return err
		}
	}
	return s.Exec(ctx, s.logins())
}

// logins makes the owner's login, gives it and the bot's the same time limits, which a busy machine does not reach, and
// gives the logins a password.
func (s *Server) logins() string {
	return strings.NewReplacer("{owner}", OwnerLogin, "{bot}", BotLogin, "{worker}", WorkerLogin,
		"{password}", s.Password()).Replace(`
create role {owner} login;
grant atlas_owner to {owner};
alter role {owner} set role = 'atlas_owner';
alter role {owner} set idle_in_transaction_session_timeout = '1min';
alter role {bot} set idle_in_transaction_session_timeout = '1min';
alter role {owner} set statement_timeout = '1min';
alter role {bot} set statement_timeout = '1min';
alter role {owner} set lock_timeout = '50s';
alter role {bot} set lock_timeout = '50s';
alter role {owner} password '{password}';
alter role {bot} password '{password}';
alter role {worker} password '{password}';`)
}

func (s *Server) migrate(ctx context.Context, database string) error {
	migrations, err := fs.Sub(atlassql.Files, "migrations")
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	m, err := migrate.Open(ctx, s.SocketDSN(Superuser, database), migrate.DefaultConfig(), migrations)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	_, err = m.Up(ctx)
	if err = errors.Join(err, m.Close()); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Connect opens a connection over the unix socket.
func (s *Server) Connect(ctx context.Context, role, database string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, s.SocketDSN(role, database))
	if err != nil {
		return nil, fmt.Errorf("connect to %s as %s: %w", database, role, err)
	}
	return conn, nil
}

// Exec runs statements as the superuser.
func (d *Database) Exec(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := d.Control.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%w\n%s", err, strings.TrimSpace(statement))
		}
	}
	return nil
}

// Setting is the value of a setting of the server.
func (s *Server) Setting(ctx context.Context, name string) (string, error) {
	var value string
	if err := s.Control.QueryRow(ctx, "select current_setting($1)", name).Scan(&value); err != nil {
		return "", fmt.Errorf("setting %s: %w", name, err)
	}
	return value, nil
}
