package system

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"

	deploy "atlas-secure/deploy/postgres"
	"atlas-secure/internal/migrate"
	"atlas-secure/internal/sandbox/postgres"
	atlassql "atlas-secure/sql"
)

const databaseName = "atlas_secure"

// logins are the roles that sandbox.json has a connection for, by their short names.
var logins = map[string]string{
	"owner": "atlas_migrator_login", "bot": "atlas_bot_login", "worker": "atlas_worker_login",
	"auditor": "atlas_auditor_login", "dba": "atlas_dba_login",
}

// prepareDatabase makes the database, the roles and the tables; each is left alone where it is there already. It returns
// how many migrations were applied.
func prepareDatabase(ctx context.Context, server *postgres.Server) (int, error) {
	if err := createDatabase(ctx, server); err != nil {
		return 0, err
	}
	err := withConnection(ctx, server.DSN(postgres.Superuser, databaseName), func(conn *pgx.Conn) error {
		statements := []string{deploy.Roles, deploy.Logins}
		if password := server.Password(); password != "" {
			for _, login := range logins {
				statements = append(statements, fmt.Sprintf("alter role %s password '%s'",
					pgx.Identifier{login}.Sanitize(), strings.ReplaceAll(password, "'", "''")))
			}
		}
		for _, statement := range statements {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return fmt.Errorf("roles: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	migrations, err := fs.Sub(atlassql.Files, "migrations")
	if err != nil {
		return 0, fmt.Errorf("migrations: %w", err)
	}
	migrator, err := migrate.Open(ctx, server.DSN(logins["owner"], databaseName), migrate.DefaultConfig(), migrations)
	if err != nil {
		return 0, fmt.Errorf("migrations: %w", err)
	}
	steps, err := migrator.Up(ctx)
	if err = errors.Join(err, migrator.Close()); err != nil {
		return 0, fmt.Errorf("migrations: %w", err)
	}
	return len(steps), nil
}

func createDatabase(ctx context.Context, server *postgres.Server) error {
	return withConnection(ctx, server.DSN(postgres.Superuser, "postgres"), func(conn *pgx.Conn) error {
		var exists bool
		err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", databaseName).Scan(&exists)
		if err == nil && !exists {
			_, err = conn.Exec(ctx, "create database "+databaseName)
		}
		if err != nil {
			return fmt.Errorf("the database: %w", err)
		}
		return nil
	})
}

// makeAdmin registers a person and makes him the first admin, as a DBA would in psql.
func makeAdmin(ctx context.Context, dsn string, person Person) error {
	return withConnection(ctx, dsn, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "select from account.register(p_telegram_id => $1, p_username => $2, p_language => $3, "+
			"p_start_payload => null)", person.ID, person.Username, person.Language)
		if err != nil {
			return fmt.Errorf("registering the first admin: %w", err)
		}
		_, err = conn.Exec(ctx, "select from account.grant_admin(p_telegram_id => $1, p_note => $2)",
			person.ID, "the sandbox's first admin")
		if err != nil {
			return fmt.Errorf("making the first admin: %w", err)
		}
		return nil
	})
}

func withConnection(ctx context.Context, dsn string, do func(*pgx.Conn) error) (err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	return do(conn)
}
