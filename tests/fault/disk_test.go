package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
	"atlas-secure/tests/history"
)

// diskFull is the SQLSTATE of a disk without room.
const diskFull = "53100"

// smallDisk is a file system in memory that the server's user may write.
type smallDisk struct {
	t   *testing.T
	dir string
}

func newSmallDisk(t *testing.T, megabytes int) smallDisk {
	t.Helper()
	require.Zero(t, os.Geteuid(), "a full disk needs a file system of its own, and mounting one needs root; type:  "+
		"sudo -E env PATH=$PATH go test ./tests/fault -run TestG11")
	d := smallDisk{t, folder(t)}
	info, err := os.Stat(d.dir)
	require.NoError(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	d.run("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm,mode=0700,uid=%d,gid=%d", megabytes, owner.Uid, owner.Gid),
		"atlas-small-disk", d.dir)
	t.Cleanup(func() { d.run("umount", "--lazy", d.dir) })
	return d
}

func (d smallDisk) run(name string, args ...string) {
	d.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(d.t, err, "%s %v: %s", name, args, out)
}

func (d smallDisk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill takes all room that is left; again, what has become free since.
func (d smallDisk) fill() error {
	file, err := os.OpenFile(d.ballast(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	zeros, err := os.Open("/dev/zero")
	if err != nil {
		return err
	}
	defer func() { _ = zeros.Close() }()
	if _, err = io.Copy(file, zeros); errors.Is(err, syscall.ENOSPC) {
		return nil
	}
	return fmt.Errorf("the disk is not full: %w", err)
}

// free gives the room back.
func (d smallDisk) free() error { return os.Remove(d.ballast()) }

// told counts the calls that were told that the disk is full.
type told struct {
	history.Conn

	full atomic.Int64
}

func (c *told) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	rows, err := c.Conn.Query(ctx, sql, args...)
	c.note(err)
	return toldRows{rows, c}, err
}

func (c *told) note(err error) {
	if desk.Code(err) == diskFull {
		c.full.Add(1)
	}
}

type toldRows struct {
	pgx.Rows

	conn *told
}

func (r toldRows) Err() error {
	err := r.Rows.Err()
	r.conn.note(err)
	return err
}

// TestG11DataDiskFull fills the disk that the tables are on, under load. Calls fail with 53100 and change nothing; once
// there is room, the same calls go through.
func TestG11DataDiskFull(t *testing.T) {
	t.Parallel()
	disk := newSmallDisk(t, 128)
	b := bundleOf(t, harness.NewPrivate(t))
	admin := b.superDesk(b.Server, "postgres")
	admin.Query("create tablespace small location '" + disk.dir + "'")
	admin.Query("alter database " + b.Database + " set tablespace small")
	bots := &told{Conn: b.bots}
	crowd := b.patientCrowd(bots, b.workers, 16, 1500)
	wrong := b.run(crowd, func(ctx context.Context) {
		if !moreOperations(ctx, crowd, 300, often) || !assert.NoError(t, disk.fill()) {
			return
		}
		waitFor(ctx, func() bool { return bots.full.Load() > 50 })
		assert.NoError(t, disk.free())
	})
	t.Logf("%d calls were told that the disk is full", bots.full.Load())
	require.Greater(t, bots.full.Load(), int64(50))
	b.judge(crowd.History(), wrong...)
}

// TestG11LogDiskFull fills the disk that the write-ahead log is on, under load: the server crashes and does not come up.
// With room again it does, and has all that it acknowledged.
func TestG11LogDiskFull(t *testing.T) {
	t.Parallel()
	disk := newSmallDisk(t, 128)
	b := bundleOf(t, harness.NewPrivateLog(t, disk.dir, map[string]string{"wal_recycle": "off"}))
	crowd := b.patientCrowd(b.bots, b.workers, 16, 1500)
	crashed := false
	wrong := b.run(crowd, func(ctx context.Context) {
		super := b.super()
		if !moreOperations(ctx, crowd, 300, often) {
			return
		}
		waitFor(ctx, func() bool { // each switch ends a segment, and a checkpoint may remove one
			if !assert.NoError(t, disk.fill()) {
				return true
			}
			_, err := super.Exec(ctx, "select pg_switch_wal()")
			crashed = err != nil && super.IsClosed() && ctx.Err() == nil
			return crashed
		})
		assert.NoError(t, disk.free())
		assert.NoError(t, b.Server.Kill()) // whatever it is at by now
		assert.NoError(t, b.Server.Restart(context.WithoutCancel(ctx)))
	})
	require.True(t, crashed)
	require.Positive(t, unknowns(crowd.History().Ops()), "nobody was in the middle of anything")
	b.judge(crowd.History(), wrong...)
}

// waitFor waits until something is so.
func waitFor(ctx context.Context, isSo func() bool) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !isSo() {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
