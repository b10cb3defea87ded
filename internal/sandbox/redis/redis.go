// Package redis starts a Redis for the sandbox and for tests: a redis-server of this machine as a child
// process, else miniredis in this one. Redis forgets: nothing here is made to survive.
package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"atlas-secure/internal/sandbox/port"
	"atlas-secure/internal/sandbox/process"
)

const (
	startTimeout = time.Minute
	stopGrace    = 5 * time.Second
	readyPoll    = 10 * time.Millisecond
	// Databases is how many numbered databases every server has.
	Databases = 256
)

// Options says what kind of server to start.
type Options struct {
	// InProcess chooses miniredis even where a redis-server is installed.
	InProcess bool
	// LogPath is the server's log; empty means a temporary file.
	LogPath string
	// Arguments are more arguments of redis-server.
	Arguments []string
}

// Server is a running Redis on a free port of 127.0.0.1.
type Server struct {
	addr   string
	kept   *port.Reservation // of the port of a redis-server
	path   string            // of redis-server; empty for miniredis
	dir    string            // temporary
	log    string
	more   []string // arguments
	proc   *process.Process
	mini   *miniredis.Miniredis
	closed chan struct{} // stands for the end of a miniredis
}

// Start starts a server and waits until it answers.
func Start(ctx context.Context, opts Options) (*Server, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil || opts.InProcess {
		return startMini()
	}
	s := &Server{path: path, log: opts.LogPath, more: opts.Arguments}
	if s.dir, err = os.MkdirTemp("", "atlas-redis-"); err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	if s.log == "" {
		s.log = filepath.Join(s.dir, "server.log")
	}
	if s.kept, err = port.Reserve(0); err != nil {
		return nil, errors.Join(err, s.cleanUp())
	}
	s.addr = s.kept.Address()
	if err := s.startChild(ctx); err != nil {
		return nil, errors.Join(err, s.cleanUp())
	}
	return s, nil
}

func startMini() (*Server, error) {
	mini := miniredis.NewMiniRedis()
	mini.ClockTTL(true) // keys expire by the clock, as in a real server
	if err := mini.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start miniredis: %w", err)
	}
	return &Server{addr: mini.Addr(), mini: mini, closed: make(chan struct{})}, nil
}

func (s *Server) startChild(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	log, err := process.LogFile(s.log)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return fmt.Errorf("address: %w", err)
	}
	s.proc, err = process.Start(process.Spec{
		Path: s.path,
		Args: append([]string{
			"--bind", "127.0.0.1", "--port", port, "--dir", s.dir, "--databases", strconv.Itoa(Databases),
			"--save", "", "--appendonly", "no", "--daemonize", "no",
		}, s.more...),
		Env: []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}, Dir: s.dir, Output: log,
	})
	if err != nil {
		return err
	}
	if err := s.waitReady(ctx); err != nil {
		return errors.Join(err, s.proc.Kill())
	}
	return nil
}

func (s *Server) waitReady(ctx context.Context) error {
	client := redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1})
	defer func() { _ = client.Close() }()
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	for {
		err := client.Ping(ctx).Err()
		if err == nil {
			return nil
		}
		select {
		case <-s.proc.Done():
			return fmt.Errorf("redis-server ended: %s", process.Tail(s.log, 5))
		case <-ctx.Done():
			return fmt.Errorf("redis-server does not answer: %w", err)
		case <-ticker.C:
		}
	}
}

// Addr is host and port.
func (s *Server) Addr() string { return s.addr }

// URL is the address as a URL, for a numbered database.
func (s *Server) URL(database int) string {
	return fmt.Sprintf("redis://%s/%d", s.addr, database)
}

// Describe says in a few words what runs where.
func (s *Server) Describe() string {
	if s.mini != nil {
		return "miniredis in this process, " + s.addr
	}
	return "redis-server from " + s.path + ", " + s.addr
}

// Done is closed when the server has ended; after Restart there is a new channel.
func (s *Server) Done() <-chan struct{} {
	if s.mini != nil {
		return s.closed
	}
	return s.proc.Done()
}

// Age makes all that database 0 holds older, as if so much time had passed: what would have run out is gone.
func (s *Server) Age(ctx context.Context, by time.Duration) error {
	client := redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1})
	defer func() { _ = client.Close() }()
	keys := client.Scan(ctx, 0, "*", 1000).Iterator()
	for keys.Next(ctx) {
		left, err := client.PTTL(ctx, keys.Val()).Result()
		switch {
		case err != nil:
			return fmt.Errorf("age %s: %w", keys.Val(), err)
		case left >= 0: // else it never runs out, or is gone meanwhile; a time that is over takes it away
			err = client.PExpire(ctx, keys.Val(), left-by).Err()
		}
		if err != nil {
			return fmt.Errorf("age %s: %w", keys.Val(), err)
		}
	}
	if err := keys.Err(); err != nil {
		return fmt.Errorf("age: %w", err)
	}
	return nil
}

// Kill ends the server as a crash would; what it held is gone. Restart brings an empty one back.
func (s *Server) Kill() error {
	if s.mini == nil {
		return s.proc.Kill()
	}
	s.closeMini()
	return nil
}

// Freeze stops the server where it is (SIGSTOP): connections stay and nothing answers. Thaw lets it go on.
func (s *Server) Freeze() error {
	if s.mini != nil {
		return errFreeze
	}
	return s.proc.Signal(syscall.SIGSTOP)
}

// Thaw lets a frozen server go on (SIGCONT).
func (s *Server) Thaw() error {
	if s.mini != nil {
		return errFreeze
	}
	return s.proc.Signal(syscall.SIGCONT)
}

var errFreeze = errors.New("only a redis-server can be frozen; type:  sudo apt-get install -y redis-server")

// Restart starts a server that has ended again, empty, on the same address.
func (s *Server) Restart(ctx context.Context) error {
	if s.mini == nil {
		return s.startChild(ctx)
	}
	s.mini.FlushAll()
	if err := s.mini.Restart(); err != nil {
		return fmt.Errorf("restart miniredis: %w", err)
	}
	s.closed = make(chan struct{})
	return nil
}

// Stop ends the server. It may be called again.
func (s *Server) Stop(ctx context.Context) error {
	if s.mini != nil {
		s.closeMini()
		return nil
	}
	return errors.Join(s.Thaw(), s.proc.Stop(ctx, stopGrace), s.cleanUp())
}

func (s *Server) closeMini() {
	select {
	case <-s.closed:
	default:
		s.mini.Close()
		close(s.closed)
	}
}

func (s *Server) cleanUp() error {
	err := s.kept.Close()
	if removeErr := os.RemoveAll(s.dir); removeErr != nil {
		err = errors.Join(err, fmt.Errorf("remove temporary folder: %w", removeErr))
	}
	return err
}
