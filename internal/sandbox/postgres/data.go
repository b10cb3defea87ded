package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"atlas-secure/internal/sandbox/process"
)

const (
	runDirPrefix = "atlas-pg-"
	ownerFile    = "owner.pid"
	// tempRoot is /tmp and not os.TempDir(): the path of a unix socket has at most 107 bytes.
	tempRoot = "/tmp"
)

// makeRunDir makes a temporary folder for a server, and removes those of owners that died without
// doing it themselves.
func makeRunDir(user *process.User) (string, error) {
	sweepRunDirs()
	dir, err := os.MkdirTemp(tempRoot, runDirPrefix)
	if err != nil {
		return "", fmt.Errorf("make a temporary folder: %w", err)
	}
	err = os.WriteFile(filepath.Join(dir, ownerFile), []byte(strconv.Itoa(os.Getpid())), 0o600)
	if err != nil {
		return "", errors.Join(fmt.Errorf("note the owner: %w", err), os.RemoveAll(dir))
	}
	if err := user.Own(dir); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

func sweepRunDirs() {
	dirs, err := filepath.Glob(filepath.Join(tempRoot, runDirPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		raw, err := os.ReadFile(filepath.Join(dir, ownerFile)) //nolint:gosec // a file of ours
		if err != nil {
			continue // not ours, or just being made
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
		if err == nil && !process.Alive(pid) && !serverAlive(filepath.Join(dir, "data")) {
			_ = os.RemoveAll(dir)
		}
	}
}

// serverAlive tells whether a server still runs on this data.
func serverAlive(dataDir string) bool {
	raw, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid")) //nolint:gosec // a file of the server's
	if err != nil {
		return false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(string(raw), "\n", 2)[0]))
	return err == nil && process.Alive(pid)
}

// ensureData makes sure that dataDir holds a cluster of the binaries' major version: what is there
// already, else a copy of a cached fresh one.
func ensureData(ctx context.Context, bin binaries, user *process.User, dataDir string, durable bool) error {
	raw, err := os.ReadFile(filepath.Join(dataDir, "PG_VERSION")) //nolint:gosec // a file of the server's
	if err == nil {
		if got := strings.TrimSpace(string(raw)); got != strconv.Itoa(bin.major) {
			return fmt.Errorf("the data in %s is of PostgreSQL %s and the binaries in %s are %s", dataDir, got, bin.dir, bin.version)
		}
		return user.Own(dataDir)
	}
	if err := os.MkdirAll(filepath.Dir(dataDir), 0o755); err != nil { //nolint:gosec // the server's user must pass through it
		return fmt.Errorf("make folder: %w", err)
	}
	template, err := cachedCluster(ctx, bin, user)
	if err != nil {
		return err
	}
	if err := user.Own(dataDir); err != nil {
		return err
	}
	if _, err := process.Run(ctx, user, environment(tempRoot), "/bin/cp", "-a", template+"/.", dataDir); err != nil {
		if user != nil {
			err = fmt.Errorf("%w (may user %s enter %s? it must be outside closed folders such as /root)", err, user.Name, filepath.Dir(dataDir))
		}
		return fmt.Errorf("copy the cached cluster: %w", err)
	}
	if durable {
		return syncData(ctx, bin, user, dataDir)
	}
	return nil
}

// syncData flushes a copied cluster to disk, as initdb would have.
func syncData(ctx context.Context, bin binaries, user *process.User, dataDir string) error {
	_, err := process.Run(ctx, user, environment(tempRoot), bin.program("initdb"), "--sync-only", "-D", dataDir)
	return err
}

// cachedCluster returns the folder of a fresh cluster made once per version and user.
func cachedCluster(ctx context.Context, bin binaries, user *process.User) (string, error) {
	root, err := cacheRoot(user)
	if err != nil {
		return "", err
	}
	ready := filepath.Join(root, "cluster-"+bin.version)
	if _, err := os.Stat(filepath.Join(ready, "PG_VERSION")); err == nil {
		return ready, nil
	}
	fresh, err := os.MkdirTemp(root, "new-")
	if err != nil {
		return "", fmt.Errorf("make a folder in the cache: %w", err)
	}
	if err := user.Own(fresh); err != nil {
		return "", err
	}
	if err := initdb(ctx, bin, user, fresh); err != nil {
		return "", errors.Join(err, os.RemoveAll(fresh))
	}
	if err := os.Rename(fresh, ready); err != nil {
		_, statErr := os.Stat(filepath.Join(ready, "PG_VERSION"))
		if err = errors.Join(err, os.RemoveAll(fresh)); statErr != nil {
			return "", fmt.Errorf("keep the cluster: %w", err)
		}
		// Somebody else was quicker: theirs is as good.
	}
	return ready, nil
}

// cacheRoot is where fresh clusters are kept: a folder that belongs to the server's user.
func cacheRoot(user *process.User) (string, error) {
	root := "/var/cache/atlas-secure/postgres-" // root can write here, and any user can pass through
	if user != nil {
		root += user.Name
		if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil { //nolint:gosec // the server's user must pass through it
			return "", fmt.Errorf("make the cache: %w", err)
		}
	} else {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("find the cache: %w", err)
		}
		root = filepath.Join(cache, "atlas-secure", "postgres")
	}
	return root, user.Own(root)
}

// initdb makes a cluster: UTF-8, sorted by code point, local connections trusted (the socket's folder
// is closed to others), passwords over TCP.
func initdb(ctx context.Context, bin binaries, user *process.User, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var problems []error
	for _, locale := range []string{"C.UTF-8", "C"} { // not every system has the first
		_, err := process.Run(ctx, user, environment(tempRoot), bin.program("initdb"), "-D", dir,
			"--username="+Superuser, "--encoding=UTF8", "--locale="+locale,
			"--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "--no-instructions")
		if err == nil {
			return nil
		}
		problems = append(problems, err)
	}
	return fmt.Errorf("make a cluster: %w", errors.Join(problems...))
}
