package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/sandbox/port"
	"atlas-secure/internal/sandbox/process"
)

const defaultPort = 5432

// local is a server made of binaries on this machine.
type local struct {
	opts      Options
	bin       binaries
	user      *process.User
	runDir    string // temporary: the socket, and the data when it is not kept
	dataDir   string
	logPath   string
	port      int
	kept      *port.Reservation // of the port, when the server listens on TCP
	secret    string
	hasSecret bool // the data has it
	proc      *process.Process
	cleaned   bool
}

func newLocal(ctx context.Context, opts Options) (backend, error) {
	bin, err := findBinaries(ctx, 0)
	if err != nil {
		return nil, err
	}
	return newFromBinaries(ctx, opts, bin)
}

func newFromBinaries(ctx context.Context, opts Options, bin binaries) (backend, error) {
	user, err := serverUser()
	if err != nil {
		return nil, err
	}
	l := &local{opts: opts, bin: bin, user: user, dataDir: opts.DataDir, logPath: opts.LogPath, port: defaultPort}
	if err := l.prepare(ctx); err != nil {
		return nil, errors.Join(err, l.cleanUp())
	}
	return l, nil
}

func (l *local) prepare(ctx context.Context) error {
	var err error
	if l.runDir, err = makeRunDir(l.user); err != nil {
		return err
	}
	if l.dataDir == "" {
		l.dataDir = filepath.Join(l.runDir, "data")
	}
	if l.logPath == "" {
		l.logPath = filepath.Join(l.runDir, "server.log")
	}
	if l.opts.TCP {
		if l.kept, err = port.Reserve(0); err != nil {
			return err
		}
		l.port = l.kept.Number
		if l.secret = l.opts.Password; l.secret == "" {
			if l.secret, err = newPassword(); err != nil {
				return err
			}
		}
	}
	if l.opts.CopyOf != "" {
		err = l.copyData(ctx)
	} else {
		err = ensureData(ctx, l.bin, l.user, l.dataDir, l.opts.Durable)
	}
	if err == nil && l.opts.Recover {
		err = l.signalRecovery()
	}
	if err == nil && l.opts.WALDir != "" {
		err = l.moveWAL(ctx)
	}
	return err
}

// stillInUse is what a server says that starts before all processes of a killed one are gone.
const stillInUse = "pre-existing shared memory block"

func (l *local) start(ctx context.Context) error {
	for {
		before := logSize(l.logPath)
		err := l.startOnce(ctx)
		if err == nil || !saidSince(l.logPath, before, stillInUse) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(readyPoll):
		}
	}
}

func logSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// saidSince looks for a text in what was logged after the first bytes. The end alone would not do: the processes of a
// killed server are still writing their last words.
func saidSince(path string, before int64, text string) bool {
	raw, err := os.ReadFile(path) //nolint:gosec // a path made by the caller
	return err == nil && int64(len(raw)) > before && strings.Contains(string(raw[before:]), text)
}

func (l *local) startOnce(ctx context.Context) error {
	log, err := process.LogFile(l.logPath)
	if err != nil {
		return err
	}
	l.proc, err = process.Start(process.Spec{
		Path:       l.bin.program("postgres"),
		Args:       l.arguments(),
		Env:        environment(l.runDir),
		Dir:        l.dataDir,
		User:       l.user,
		Output:     log,
		StopSignal: syscall.SIGINT, // fast shutdown: clients are disconnected, then a checkpoint
	})
	if err != nil {
		return err
	}
	super := DSN(l.runDir, l.port, Superuser, "", "postgres")
	why := func() string { return process.Tail(l.logPath, 3) }
	if err := waitReady(ctx, super, l.proc.Done(), why); err != nil {
		return errors.Join(err, l.proc.Kill())
	}
	if l.secret == "" || l.opts.Password != "" || l.hasSecret {
		return nil
	}
	if err := setPassword(ctx, super, l.secret); err != nil {
		return err
	}
	l.hasSecret = true // a restart needs no write, which a primary without its standby could not finish
	return nil
}

func (l *local) arguments() []string {
	settings := map[string]string{
		"unix_socket_directories": l.runDir,
		"unix_socket_permissions": "0700",
		"listen_addresses":        "",
		"port":                    strconv.Itoa(l.port),
		"timezone":                "UTC",
		"max_connections":         "200",
		"shared_buffers":          "128MB",
		"track_functions":         "pl",
		"logging_collector":       "off",
		"log_line_prefix":         "%m [%p] %q%u@%d ",
		"jit":                     "off",
	}
	if l.opts.TCP {
		settings["listen_addresses"] = "127.0.0.1"
	}
	if !l.opts.Durable {
		settings["fsync"] = "off"
		settings["synchronous_commit"] = "off"
		settings["full_page_writes"] = "off"
		settings["max_wal_size"] = "2GB"
		settings["checkpoint_timeout"] = "30min"
	}
	for name, value := range l.opts.Settings {
		settings[name] = value
	}
	names := make([]string, 0, len(settings))
	for name := range settings {
		names = append(names, name)
	}
	sort.Strings(names)
	args := []string{"-D", l.dataDir}
	for _, name := range names {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

func (l *local) stop(ctx context.Context) error {
	if l.proc == nil {
		return nil
	}
	if err := l.proc.Stop(ctx, stopGrace); err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	return nil
}

func (l *local) kill() error { return l.proc.Kill() }

func (l *local) done() <-chan struct{} { return l.proc.Done() }

func (l *local) password() string { return l.secret }

func (l *local) binDir() string { return l.bin.dir }

func (l *local) address() (string, int) {
	if l.opts.TCP {
		return "127.0.0.1", l.port
	}
	return l.runDir, l.port
}

func (l *local) describe() string {
	where := "unix socket in " + l.runDir
	if l.opts.TCP {
		where += fmt.Sprintf(" and 127.0.0.1:%d", l.port)
	}
	as := ""
	if l.user != nil {
		as = ", as user " + l.user.Name
	}
	return fmt.Sprintf("PostgreSQL %s from %s%s, %s", l.bin.version, l.bin.dir, as, where)
}

func (l *local) cleanUp() error {
	if l.runDir == "" || l.cleaned {
		return nil
	}
	l.cleaned = true
	err := l.kept.Close()
	if removeErr := os.RemoveAll(l.runDir); removeErr != nil {
		err = errors.Join(err, fmt.Errorf("remove temporary folder: %w", removeErr))
	}
	return err
}

func newPassword() (string, error) {
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("make a password: %w", err)
	}
	return hex.EncodeToString(raw), nil
}

func setPassword(ctx context.Context, dsn, secret string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	// The secret is hexadecimal, made above: nothing in it needs quoting, and ALTER ROLE takes no parameter.
	if _, err := conn.Exec(ctx, fmt.Sprintf("alter role %s password '%s'", Superuser, secret)); err != nil {
		return fmt.Errorf("set the password: %w", err)
	}
	return nil
}

// environment is all that the server's programs get to see of ours.
func environment(home string) []string {
	env := []string{"HOME=" + home, "LC_ALL=C", "TZ=UTC", "PATH=/usr/bin:/bin"}
	for _, kv := range os.Environ() {
		if strings.HasPrefix(kv, "LD_LIBRARY_PATH=") || strings.HasPrefix(kv, "DYLD_LIBRARY_PATH=") {
			env = append(env, kv)
		}
	}
	return env
}
