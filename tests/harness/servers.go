package harness

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"atlas-secure/internal/sandbox/postgres"
	sandboxredis "atlas-secure/internal/sandbox/redis"
)

// server is a PostgreSQL server that the harness may make databases and roles on.
type server struct {
	description string
	admin       string // DSN of a superuser
	host        string
	port        int
	password    string // of every login role; empty where the connection is trusted
	template    string // name, once it is made
	local       *postgres.Server
	stop        func(ctx context.Context) error
}

// only says which kind of server ATLAS_TEST_SERVERS allows; empty allows every kind.
func only(kind string) bool {
	wanted := os.Getenv("ATLAS_TEST_SERVERS")
	return wanted == "" || wanted == kind
}

var errNotWanted = errors.New("not wanted by ATLAS_TEST_SERVERS (local, containers)")

func findPostgres(ctx context.Context) (*server, error) {
	if dsn := os.Getenv("ATLAS_TEST_DATABASE_URL"); dsn != "" {
		return newServer(dsn, "ATLAS_TEST_DATABASE_URL", func(context.Context) error { return nil })
	}
	if s := profiled(ctx); s != nil {
		return s, nil
	}
	s, err := containerPostgres(ctx)
	if err == nil {
		return s, nil
	}
	reason := fmt.Errorf("containers: %w", err)
	if !only("local") {
		return nil, reason
	}
	if s, err = localPostgres(ctx, postgres.Options{}); err != nil {
		return nil, errors.Join(reason, err)
	}
	s.description += " (no " + reason.Error() + ")"
	return s, nil
}

// Serve finds or starts a server as the tests do, for a program that runs several of their binaries on one: dsn is what to
// give them as ATLAS_TEST_DATABASE_URL.
func Serve(ctx context.Context) (dsn, description string, stop func(ctx context.Context) error, err error) {
	s, err := findPostgres(ctx)
	if err != nil {
		return "", "", nil, err
	}
	return s.admin, s.description, s.stop, nil
}

// testSettings of servers that the harness starts itself.
func testSettings() map[string]string {
	return map[string]string{"max_connections": "500", "max_locks_per_transaction": "256", "deadlock_timeout": "200ms"}
}

func localPostgres(ctx context.Context, opts postgres.Options) (*server, error) {
	opts.TCP = true // proxies and containers cannot use a socket
	settings := testSettings()
	maps.Copy(settings, opts.Settings)
	opts.Settings = settings
	local, err := postgres.Start(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("start a server: %w", err)
	}
	s, err := newServer(local.DSN(postgres.Superuser, "postgres"), local.Describe(), local.Stop)
	if err != nil {
		return nil, errors.Join(err, local.Stop(ctx))
	}
	s.local = local
	return s, nil
}

func newServer(dsn, description string, stop func(context.Context) error) (*server, error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	s := &server{description: description, admin: dsn, host: c.Host, port: int(c.Port), stop: stop}
	if c.Password != "" { // the same for every test binary on this server
		digest := sha256.Sum256([]byte("atlas-test:" + c.Password))
		s.password = hex.EncodeToString(digest[:16])
	}
	return s, nil
}

// dsn is the URL for a login role and a database.
func (s *server) dsn(role Role, database string) string {
	if role == Superuser {
		dsn, err := adminDSN(s.admin, database)
		if err == nil {
			return dsn
		}
	}
	return postgres.DSN(s.host, s.port, string(role), s.password, database)
}

// passwordOf is a login role's password on this server; empty where the connection is trusted.
func (s *server) passwordOf(role Role) string {
	if role != Superuser {
		return s.password
	}
	c, err := pgx.ParseConfig(s.admin)
	if err != nil {
		return ""
	}
	return c.Password
}

// redisServer is a Redis with numbered databases that tests take in turn.
type redisServer struct {
	description string
	options     redis.Options
	databases   int
	stop        func(ctx context.Context) error
}

func findRedis(ctx context.Context) (*redisServer, error) {
	if url := os.Getenv("ATLAS_TEST_REDIS_URL"); url != "" {
		return newRedisServer(url, "ATLAS_TEST_REDIS_URL", 16, func(context.Context) error { return nil })
	}
	s, err := containerRedis(ctx)
	if err == nil {
		return s, nil
	}
	reason := fmt.Errorf("containers: %w", err)
	if !only("local") {
		return nil, reason
	}
	local, err := sandboxredis.Start(ctx, sandboxredis.Options{})
	if err != nil {
		return nil, errors.Join(reason, err)
	}
	return newRedisServer(local.URL(0), local.Describe(), sandboxredis.Databases, local.Stop)
}

func newRedisServer(url, description string, databases int, stop func(context.Context) error) (*redisServer, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("redis URL: not a URL") // the parser's message has the password
	}
	return &redisServer{description: description, options: *options, databases: databases, stop: stop}, nil
}
