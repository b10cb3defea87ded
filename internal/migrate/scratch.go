package migrate

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	deploy "atlas-secure/deploy/postgres"
	"atlas-secure/internal/sandbox/postgres"
)

// cleanUpLimit is how long dropping the scratch databases and stopping the server may take.
const cleanUpLimit = 2 * time.Minute

// scratch makes databases that nobody will miss: on a server of its own, or on the one of a given DSN
// (whose role must be a superuser).
type scratch struct {
	config Config
	server *postgres.Server
	admin  string // DSN of a superuser
	major  int
	prefix string
	made   []string
}

func openScratch(ctx context.Context, c Config, dsn string) (*scratch, error) {
	raw := make([]byte, 4)
	if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("make a name: %w", err)
	}
	s := &scratch{config: c, admin: dsn, prefix: "atlas_scratch_" + hex.EncodeToString(raw) + "_"}
	if dsn == "" {
		server, err := postgres.Start(ctx, postgres.Options{})
		if err != nil {
			return nil, fmt.Errorf("a throw-away server: %w", err)
		}
		s.server = server
		s.admin = server.DSN(postgres.Superuser, "postgres")
	}
	var number string
	if err := s.query(ctx, s.admin, "show server_version_num", &number); err != nil {
		return nil, errors.Join(err, s.close())
	}
	version, err := strconv.Atoi(number)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("server version: %w", err), s.close())
	}
	s.major = version / 10000
	return s, nil
}

func (s *scratch) describe() string {
	if s.server != nil {
		return s.server.Describe()
	}
	return fmt.Sprintf("the given server, PostgreSQL %d", s.major)
}

// database makes a database with roles and database grants, ready for migrations.
func (s *scratch) database(ctx context.Context, label string) (string, error) {
	dsn, err := s.create(ctx, label, "")
	if err != nil {
		return "", err
	}
	return dsn, s.exec(ctx, dsn, deploy.Roles)
}

// migrated makes a database and applies all of these migrations.
func (s *scratch) migrated(ctx context.Context, label string, migrations fs.FS) (string, error) {
	dsn, err := s.database(ctx, label)
	if err != nil {
		return "", err
	}
	m, err := Open(ctx, dsn, s.config, migrations)
	if err != nil {
		return "", err
	}
	_, err = m.Up(ctx)
	return dsn, errors.Join(err, m.Close())
}

// copyOf clones a database that nobody is connected to.
func (s *scratch) copyOf(ctx context.Context, dsn, label string) (string, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return "", fmt.Errorf("database URL: %w", err)
	}
	return s.create(ctx, label, config.Database)
}

func (s *scratch) create(ctx context.Context, label, template string) (string, error) {
	name := s.prefix + label
	statement := "create database " + name + " template "
	if template == "" {
		template = "template0"
	}
	if err := s.exec(ctx, s.admin, statement+pgx.Identifier{template}.Sanitize()); err != nil {
		return "", err
	}
	s.made = append(s.made, name)
	return withDatabase(s.admin, name)
}

func (s *scratch) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanUpLimit)
	defer cancel()
	if s.server != nil {
		return s.server.Stop(ctx)
	}
	var problems []error
	for _, name := range s.made {
		problems = append(problems, s.exec(ctx, s.admin, "drop database if exists "+name+" with (force)"))
	}
	return errors.Join(problems...)
}

func (s *scratch) exec(ctx context.Context, dsn, statement string) error {
	return withConn(ctx, dsn, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, statement)
		return explain(err)
	})
}

func (s *scratch) query(ctx context.Context, dsn, statement string, into ...any) error {
	return withConn(ctx, dsn, func(conn *pgx.Conn) error {
		return explain(conn.QueryRow(ctx, statement).Scan(into...))
	})
}

func withConn(ctx context.Context, dsn string, do func(conn *pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return do(conn)
}

// rows runs a query that gives one text per row.
func texts(ctx context.Context, dsn, query string, args ...any) ([]string, error) {
	var found []string
	err := withConn(ctx, dsn, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, query, args...)
		if err != nil {
			return fmt.Errorf("query: %w", err)
		}
		found, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return explain(err)
	})
	return found, err
}

// withDatabase is the same DSN for another database.
func withDatabase(dsn, name string) (string, error) {
	if !strings.Contains(dsn, "://") {
		return dsn + " dbname=" + name, nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errors.New("database URL: not a URL") // the parser's message has the password
	}
	u.Path = "/" + name
	return u.String(), nil
}
