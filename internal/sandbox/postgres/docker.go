package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"atlas-secure/internal/sandbox/process"
)

const (
	// LocalImage is the image that `make images` makes where no registry can be reached.
	LocalImage = "atlas-secure/postgres:15"
	// OfficialImage is the same version from the registry.
	OfficialImage = "postgres:15-bookworm"

	dockerLimit = 10 * time.Second
	pullLimit   = 5 * time.Minute
)

// docker is a server in a container. The `docker run` in the foreground is the process that is
// watched; it passes its signals on to the server.
type docker struct {
	opts   Options
	path   string
	image  string
	name   string
	port   int
	secret string
	log    string
	proc   *process.Process
}

func newDocker(ctx context.Context, opts Options) (backend, error) {
	path, err := exec.LookPath("docker")
	if err != nil || opts.needLocal() {
		return nil, fmt.Errorf("docker: %w", ErrUnavailable)
	}
	d := &docker{opts: opts, path: path, log: opts.LogPath}
	if d.log == "" {
		d.log = filepath.Join(os.TempDir(), fmt.Sprintf("atlas-pg-docker-%d.log", os.Getpid()))
	}
	if _, err := d.run(ctx, dockerLimit, "version", "--format", "{{.Server.Version}}"); err != nil {
		return nil, fmt.Errorf("docker engine: %w: %w", ErrUnavailable, err)
	}
	if d.image, err = d.findImage(ctx); err != nil {
		return nil, err
	}
	if d.secret, err = keptPassword(opts.DataDir); err != nil {
		return nil, err
	}
	d.name = fmt.Sprintf("atlas-pg-%d-%d", os.Getpid(), time.Now().UnixNano())
	if d.port, err = freePort(); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *docker) findImage(ctx context.Context) (string, error) {
	for _, image := range []string{LocalImage, OfficialImage} {
		if _, err := d.run(ctx, dockerLimit, "image", "inspect", image); err == nil {
			return image, nil
		}
	}
	if _, err := d.run(ctx, pullLimit, "pull", OfficialImage); err != nil {
		return "", fmt.Errorf("docker image: %w: %w", ErrUnavailable, err)
	}
	return OfficialImage, nil
}

// keptPassword is the password that a kept volume was made with: it is noted beside the data's folder,
// which stays empty. Data that is not kept gets a new one.
func keptPassword(dataDir string) (string, error) {
	if dataDir == "" {
		return newPassword()
	}
	path := dataDir + ".password"
	raw, err := os.ReadFile(path) //nolint:gosec // a path made from the caller's folder
	if err == nil {
		return strings.TrimSpace(string(raw)), nil
	}
	secret, err := newPassword()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // the state folder's parent
		return "", fmt.Errorf("make folder: %w", err)
	}
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		return "", fmt.Errorf("note the password: %w", err)
	}
	return secret, nil
}

func (d *docker) run(ctx context.Context, limit time.Duration, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return process.Run(ctx, nil, os.Environ(), d.path, args...)
}

func (d *docker) start(ctx context.Context) error {
	log, err := process.LogFile(d.log)
	if err != nil {
		return err
	}
	d.proc, err = process.Start(process.Spec{
		Path: d.path, Args: d.arguments(), Env: append(os.Environ(), "POSTGRES_PASSWORD="+d.secret),
		Dir: "/", Output: log, StopSignal: syscall.SIGINT,
	})
	if err != nil {
		return err
	}
	why := func() string { return process.Tail(d.log, 5) }
	super := DSN("127.0.0.1", d.port, Superuser, d.secret, "postgres")
	if err := waitReady(ctx, super, d.proc.Done(), why); err != nil {
		return errors.Join(err, d.kill())
	}
	return nil
}

func (d *docker) arguments() []string {
	args := []string{
		"run", "--rm", "--name", d.name, "-p", fmt.Sprintf("127.0.0.1:%d:5432", d.port),
		"-e", "POSTGRES_PASSWORD", "-e", "POSTGRES_HOST_AUTH_METHOD=scram-sha-256",
	}
	if d.opts.DataDir != "" {
		sum := sha256.Sum256([]byte(d.opts.DataDir))
		args = append(args, "-v", "atlas-pg-"+hex.EncodeToString(sum[:6])+":/var/lib/postgresql/data")
	}
	args = append(args, d.image, "postgres", "-c", "track_functions=pl", "-c", "timezone=UTC", "-c", "max_connections=200")
	if !d.opts.Durable {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	for name, value := range d.opts.Settings {
		args = append(args, "-c", name+"="+value)
	}
	return args
}

func (d *docker) stop(ctx context.Context) error {
	if d.proc == nil {
		return nil
	}
	if err := d.proc.Stop(ctx, stopGrace); err != nil {
		return fmt.Errorf("stop PostgreSQL in Docker: %w", err)
	}
	return nil
}

func (d *docker) kill() error {
	ctx, cancel := context.WithTimeout(context.Background(), dockerLimit)
	defer cancel()
	if _, err := d.run(ctx, dockerLimit, "kill", d.name); err != nil && !strings.Contains(err.Error(), "No such container") {
		return errors.Join(err, d.proc.Kill())
	}
	return d.proc.Kill()
}

func (d *docker) done() <-chan struct{} { return d.proc.Done() }

func (d *docker) address() (string, int) { return "127.0.0.1", d.port }

func (d *docker) password() string { return d.secret }

func (d *docker) binDir() string { return "" }

func (d *docker) describe() string {
	return fmt.Sprintf("PostgreSQL in Docker (%s), 127.0.0.1:%d", d.image, d.port)
}

func (d *docker) cleanUp() error {
	if d.opts.LogPath != "" {
		return nil
	}
	if err := os.Remove(d.log); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the log: %w", err)
	}
	return nil
}
