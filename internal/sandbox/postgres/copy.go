package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/sandbox/process"
)

const (
	recoverySignal = "recovery.signal"

	copyLimit    = 2 * time.Minute
	promoteLimit = time.Minute
)

// MakeFolder makes a temporary folder that only the server's user may enter (and root), for archives and backups. The
// caller removes it; what a killed caller leaves, a later server's start removes.
func MakeFolder() (string, error) {
	user, err := serverUser()
	if err != nil {
		return "", err
	}
	return makeRunDir(user)
}

func serverUser() (*process.User, error) {
	user, err := process.Unprivileged("postgres", "nobody")
	if err != nil {
		return nil, fmt.Errorf("a user to run PostgreSQL as: %w", err)
	}
	return user, nil
}

// BaseBackup copies the running server's data into a new folder, for another server's Options.DataDir. The copy has
// the superuser's password, too: see Options.Password.
func (s *Server) BaseBackup(ctx context.Context, dir string) error {
	l, ok := s.backend.(*local)
	if !ok {
		return fmt.Errorf("base backup of %s: %w", s.Describe(), ErrUnavailable)
	}
	return baseBackup(ctx, l.bin, l.user, dir, s.SocketDSN(Superuser, "postgres"), false)
}

// baseBackup runs pg_basebackup. Where the copy is for a standby, it notes the source's address in the copy.
func baseBackup(ctx context.Context, bin binaries, user *process.User, dir, source string, forStandby bool) error {
	ctx, cancel := context.WithTimeout(ctx, copyLimit)
	defer cancel()
	u, err := url.Parse(source)
	if err != nil {
		return errors.New("the address to copy from is no URL") // the parser's message has the password
	}
	env := environment(tempRoot)
	if password, ok := u.User.Password(); ok { // not an argument: everybody sees those
		env = append(env, "PGPASSWORD="+password)
		u.User = url.User(u.User.Username())
	}
	args := []string{"-D", dir, "-d", u.String(), "--checkpoint=fast", "--wal-method=stream", "--no-sync", "--no-password"}
	if forStandby {
		args = append(args, "--write-recovery-conf")
	}
	if _, err := process.Run(ctx, user, env, bin.program("pg_basebackup"), args...); err != nil {
		return fmt.Errorf("copy a server's data: %w", err)
	}
	return nil
}

// copyData makes dataDir a copy of the server that Options.CopyOf names.
func (l *local) copyData(ctx context.Context) error {
	if err := l.user.Own(l.dataDir); err != nil {
		return err
	}
	return baseBackup(ctx, l.bin, l.user, l.dataDir, l.opts.CopyOf, l.opts.Standby)
}

// signalRecovery tells the server's first start to replay an archive.
func (l *local) signalRecovery() error {
	path := filepath.Join(l.dataDir, recoverySignal)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return fmt.Errorf("ask for recovery: %w", err)
	}
	if l.user == nil {
		return nil
	}
	if err := os.Chown(path, int(l.user.UID), int(l.user.GID)); err != nil {
		return fmt.Errorf("ask for recovery: %w", err)
	}
	return nil
}

// moveWAL puts the log where Options.WALDir says, unless it is there already.
func (l *local) moveWAL(ctx context.Context) error {
	const script = `[ -L pg_wal ] || { cp -a pg_wal/. "$1" && rm -rf pg_wal && ln -s "$1" pg_wal; }`
	_, err := process.Run(ctx, l.user, environment(l.runDir), "/bin/sh", "-c", `cd "$2" && `+script, "sh", l.opts.WALDir, l.dataDir)
	if err != nil {
		return fmt.Errorf("move the log: %w", err)
	}
	return nil
}

// Promote makes a standby a primary and returns when it takes writes.
func (s *Server) Promote(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.SocketDSN(Superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("promote: connect: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var isDone bool
	if err := conn.QueryRow(ctx, "select pg_promote(true, $1)", int(promoteLimit.Seconds())).Scan(&isDone); err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	if !isDone {
		return fmt.Errorf("promote: not done within %v", promoteLimit)
	}
	return nil
}

// WhileStopped stops the server in order, runs a program of its version on its data (pg_resetwal, pg_checksums), and
// starts it again.
func (s *Server) WhileStopped(ctx context.Context, program string, args ...string) error {
	l, ok := s.backend.(*local)
	if !ok {
		return fmt.Errorf("%s on %s: %w", program, s.Describe(), ErrUnavailable)
	}
	if err := errors.Join(s.Thaw(), l.stop(ctx)); err != nil {
		return err
	}
	_, err := process.Run(ctx, l.user, environment(l.runDir), l.bin.program(program), append(args, "-D", l.dataDir)...)
	return errors.Join(err, s.startBackend(ctx))
}

// Freeze stops the server and all its processes where they are (SIGSTOP), as a machine that hangs. Thaw lets it go on;
// Stop, Kill and Restart do that first.
func (s *Server) Freeze() error {
	l, ok := s.backend.(*local)
	if !ok {
		return fmt.Errorf("freeze %s: %w", s.Describe(), ErrUnavailable)
	}
	s.isFrozen = true
	return process.Freeze(l.proc.PID()) //nolint:wrapcheck // says all by itself
}

// Thaw lets a frozen server go on (SIGCONT); one that is not frozen is no error.
func (s *Server) Thaw() error {
	l, ok := s.backend.(*local)
	if !ok || !s.isFrozen {
		return nil
	}
	s.isFrozen = false
	return process.Thaw(l.proc.PID()) //nolint:wrapcheck // says all by itself
}
