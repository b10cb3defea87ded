package harness

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	deploy "atlas-secure/deploy/postgres"
	"atlas-secure/internal/migrate"
	atlassql "atlas-secure/sql"
)

const (
	// setupLock keeps test binaries on one server from making roles and templates at once.
	setupLock     = 7345022991
	setupLockPoll = 20 * time.Millisecond
)

// ensureTemplate makes, once per content of the SQL, the roles and a migrated database to clone.
func (s *server) ensureTemplate(ctx context.Context) error {
	if s.template != "" {
		return nil
	}
	migrations, err := fs.Sub(atlassql.Files, "migrations")
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	digest, err := digestOf(migrations)
	if err != nil {
		return err
	}
	name := "atlas_test_template_" + digest
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return fmt.Errorf("connect as superuser: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // gives the lock back, too
	if err := waitSetupLock(ctx, conn); err != nil {
		return err
	}
	var exists bool
	if err := conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, name).Scan(&exists); err != nil {
		return fmt.Errorf("look for the template: %w", err)
	}
	if !exists {
		if err := s.makeTemplate(ctx, conn, name, migrations); err != nil {
			return err
		}
	}
	s.template = name
	return nil
}

func (s *server) makeTemplate(ctx context.Context, conn *pgx.Conn, name string, migrations fs.FS) error {
	building := name + "_building"
	for _, statement := range []string{
		"drop database if exists " + building + " with (force)",
		"create database " + building + " template template0",
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	dsn, err := adminDSN(s.admin, building)
	if err != nil {
		return err
	}
	if err := s.prepareTemplate(ctx, dsn); err != nil {
		return err
	}
	m, err := migrate.Open(ctx, dsn, migrate.DefaultConfig(), migrations)
	if err != nil {
		return fmt.Errorf("migrate the template: %w", err)
	}
	_, err = m.Up(ctx)
	if err = errors.Join(err, m.Close()); err != nil {
		return fmt.Errorf("migrate the template: %w", err)
	}
	for _, statement := range []string{
		"alter database " + building + " rename to " + name,
		"alter database " + name + " allow_connections false", // a clone needs a template without visitors
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// prepareTemplate makes the roles and gives the database its settings.
func (s *server) prepareTemplate(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect to the template: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	statements := []string{
		deploy.Roles, deploy.Logins, testLogins(s.password),
		"load 'plpgsql'",
		currentDatabase("alter database %I set plpgsql.extra_errors = 'all'"),
		currentDatabase("alter database %I set track_functions = 'pl'"),
	}
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("prepare the template: %w", err)
		}
	}
	return nil
}

func currentDatabase(statement string) string {
	return "do $$ begin execute format('" + strings.ReplaceAll(statement, "'", "''") + "', current_database()); end $$"
}

// clone makes a database for one test.
func (s *server) clone(ctx context.Context) (string, error) {
	raw := make([]byte, 6)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("make a name: %w", err)
	}
	name := "atlas_test_" + hex.EncodeToString(raw)
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return "", fmt.Errorf("connect as superuser: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "create database "+name+" template "+s.template); err != nil {
		return "", fmt.Errorf("clone the template: %w", err)
	}
	rows, err := conn.Query(ctx, databaseProperties, s.template, name)
	if err != nil {
		return name, fmt.Errorf("read the template's properties: %w", err)
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return name, fmt.Errorf("read the template's properties: %w", err)
	}
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return name, fmt.Errorf("%s: %w", statement, err)
		}
	}
	return name, nil
}

// databaseProperties writes the statements that give database $2 the grants and settings of $1, which
// `create database … template` does not copy.
const databaseProperties = `
select statement from (
  select 1 as step, format('revoke all on database %I from public', $2::text) as statement
  union all
  select 2, format('grant %s on database %I to %s', a.privilege_type, $2::text,
                   case a.grantee when 0 then 'public' else quote_ident(a.grantee::regrole::text) end)
  from pg_database d cross join aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
  where d.datname = $1 and a.grantee <> d.datdba
  union all
  select 3, format('alter database %I set %s to %L', $2::text, split_part(c.setting, '=', 1),
                   substr(c.setting, strpos(c.setting, '=') + 1))
  from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase and d.datname = $1
  cross join unnest(s.setconfig) c (setting)
  where s.setrole = 0
) all_of_them
order by step, statement`

func (s *server) drop(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return fmt.Errorf("connect as superuser: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "drop database if exists "+name+" with (force)"); err != nil {
		return fmt.Errorf("drop %s: %w", name, err)
	}
	return nil
}

func waitSetupLock(ctx context.Context, conn *pgx.Conn) error {
	ticker := time.NewTicker(setupLockPoll)
	defer ticker.Stop()
	for {
		var isMine bool
		if err := conn.QueryRow(ctx, `select pg_try_advisory_lock($1)`, int64(setupLock)).Scan(&isMine); err != nil {
			return fmt.Errorf("setup lock: %w", err)
		}
		if isMine {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("setup lock: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}

func digestOf(migrations fs.FS) (string, error) {
	h := sha256.New()
	h.Write([]byte(deploy.Roles + deploy.Logins + testLogins("")))
	files, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		return "", fmt.Errorf("list migrations: %w", err)
	}
	for _, file := range files {
		raw, err := fs.ReadFile(migrations, file)
		if err != nil {
			return "", fmt.Errorf("read %s: %w", file, err)
		}
		h.Write(raw)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// adminDSN is the superuser's DSN for another database.
func adminDSN(dsn, database string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme == "" {
		return "", errors.New("the database URL must be a URL: postgres://…")
	}
	u.Path = "/" + database
	return u.String(), nil
}
