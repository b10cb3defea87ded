package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	embedded "github.com/fergusstrange/embedded-postgres"
)

const downloadLimit = 3 * time.Minute

// newDownloaded has the embedded-postgres library download binaries once, and runs them like local
// ones. The library starts what it downloads and cannot do that as root.
func newDownloaded(ctx context.Context, opts Options) (backend, error) {
	if os.Geteuid() == 0 {
		return nil, fmt.Errorf("downloaded binaries as root: %w", ErrUnavailable)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find the cache: %w", err)
	}
	root := filepath.Join(cache, "atlas-secure", "postgres-binaries")
	bin, err := inspect(ctx, filepath.Join(root, "bin"))
	if err == nil {
		return newFromBinaries(ctx, opts, bin)
	}
	if err := download(root); err != nil {
		return nil, fmt.Errorf("download of PostgreSQL: %w: %w", ErrUnavailable, err)
	}
	if bin, err = inspect(ctx, filepath.Join(root, "bin")); err != nil {
		return nil, fmt.Errorf("downloaded PostgreSQL: %w", err)
	}
	return newFromBinaries(ctx, opts, bin)
}

// download gets the binaries by starting the library's server once, on data that is thrown away.
func download(root string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "atlas-pg-download-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	server := embedded.NewDatabase(embedded.DefaultConfig().
		Version(embedded.V15).Port(uint32(port)). //nolint:gosec // a port fits
		CachePath(filepath.Join(root, "archives")).BinariesPath(root).
		RuntimePath(filepath.Join(scratch, "run")).DataPath(filepath.Join(scratch, "data")).
		StartTimeout(downloadLimit).Logger(io.Discard))
	err = server.Start()
	if err == nil {
		err = server.Stop()
	}
	if err != nil {
		err = fmt.Errorf("embedded-postgres: %w", err)
	}
	return errors.Join(err, os.RemoveAll(scratch))
}
