package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"atlas-secure/internal/sandbox/process"
)

// goldenMajor is the version preferred when several are installed: the goldens under sql/ are made with it.
const goldenMajor = 15

// binaries is one installed PostgreSQL.
type binaries struct {
	dir     string
	version string // as `postgres --version` prints it, without the words
	major   int
}

func (b binaries) program(name string) string { return filepath.Join(b.dir, name) }

// FindBinDir is the folder of the PostgreSQL binaries of a major version on this machine (0 means any),
// for callers that need pg_dump or psql.
func FindBinDir(ctx context.Context, major int) (string, error) {
	found, err := findBinaries(ctx, major)
	return found.dir, err
}

// findBinaries looks where distributions put the server: pg_config, /usr/lib/postgresql, PATH.
func findBinaries(ctx context.Context, major int) (binaries, error) {
	var found []binaries
	for _, dir := range candidateDirs(ctx) {
		b, err := inspect(ctx, dir)
		if err != nil || (major != 0 && b.major != major) {
			continue
		}
		if b.major == goldenMajor {
			return b, nil
		}
		found = append(found, b)
	}
	if len(found) == 0 {
		return binaries{}, fmt.Errorf("local PostgreSQL binaries: %w (Debian: postgresql-%d)", ErrUnavailable, goldenMajor)
	}
	return found[0], nil
}

func candidateDirs(ctx context.Context) []string {
	var dirs []string
	if path, err := exec.LookPath("pg_config"); err == nil {
		if out, err := process.Run(ctx, nil, os.Environ(), path, "--bindir"); err == nil {
			dirs = append(dirs, strings.TrimSpace(out))
		}
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin"} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		sort.Sort(sort.Reverse(sort.StringSlice(matches)))
		dirs = append(dirs, matches...)
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	return dirs
}

func inspect(ctx context.Context, dir string) (binaries, error) {
	b := binaries{dir: dir}
	for _, name := range []string{"postgres", "initdb"} {
		if _, err := os.Stat(b.program(name)); err != nil {
			return b, fmt.Errorf("no %s: %w", name, err)
		}
	}
	out, err := process.Run(ctx, nil, nil, b.program("postgres"), "--version")
	if err != nil {
		return b, err
	}
	fields := strings.Fields(out) // postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
	if len(fields) < 3 {
		return b, fmt.Errorf("unexpected version %q", out)
	}
	b.version = fields[2]
	b.major, err = strconv.Atoi(strings.SplitN(b.version, ".", 2)[0])
	if err != nil {
		return b, fmt.Errorf("version %q: %w", b.version, err)
	}
	return b, nil
}
