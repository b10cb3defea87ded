package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/tests/bench/result"
)

// told are the settings that the figures depend on.
var told = []string{
	"shared_buffers", "huge_pages", "fsync", "synchronous_commit", "full_page_writes", "wal_level", "max_wal_size", "checkpoint_timeout",
	"autovacuum", "track_functions", "jit",
}

// describe notes where and how it is measured.
func (b *bench) describe(ctx context.Context) error {
	b.result.MeasuredAt = time.Now().UTC().Truncate(time.Second)
	b.result.Load = map[string]int{
		"rounds": b.rounds, "seconds": b.seconds, "warm_up_seconds": b.warm, "users": b.users, "tpcb_scale": b.scale,
	}
	b.result.Settings = map[string]string{}
	names := told
	for name := range b.settings {
		names = append(names, name)
	}
	for _, name := range names {
		value, err := b.server.Setting(ctx, name)
		if err != nil {
			return err
		}
		b.result.Settings[name] = value
	}
	var err error
	if b.result.Postgres, err = b.server.Setting(ctx, "server_version"); err != nil {
		return err
	}
	data, err := b.server.Setting(ctx, "data_directory")
	if err != nil {
		return err
	}
	b.result.Machine = result.Machine{
		CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if kb := field("/proc/meminfo", "MemTotal"); kb != "" {
		var n int
		if _, err := fmt.Sscan(kb, &n); err == nil {
			b.result.Machine.MemoryGB = (n + 512*1024) / (1024 * 1024)
		}
	}
	b.result.Machine.FlushMicros, err = flushTime(data)
	return err
}

// field is a value of a file of lines `name: value`; empty where there is none.
func field(path, name string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(raw)) {
		key, value, found := strings.Cut(line, ":")
		if found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// flushTime is how long it takes to write a page and to flush it, in microseconds, in the median.
func flushTime(dir string) (float64, error) {
	file, err := os.Create(filepath.Join(dir, "flush-test"))
	if err != nil {
		return 0, fmt.Errorf("test flushing: %w", err)
	}
	defer func() { _, _ = file.Close(), os.Remove(file.Name()) }()
	page := make([]byte, 8192)
	var took []float64
	for range 100 {
		started := time.Now()
		if _, err := file.WriteAt(page, 0); err != nil {
			return 0, fmt.Errorf("test flushing: %w", err)
		}
		if err := file.Sync(); err != nil {
			return 0, fmt.Errorf("test flushing: %w", err)
		}
		took = append(took, float64(time.Since(started).Nanoseconds())/1000)
	}
	return result.Median(took), nil
}

// reconcile demands that the books are right after all that: what was measured was no short cut.
func (b *bench) reconcile(ctx context.Context) error {
	b.say("reconciling the books")
	for _, conn := range b.books {
		rows, err := conn.Query(ctx, "select check_name || ' ' || subject || ': ' || detail from ops.reconcile() limit 5")
		if err != nil {
			return fmt.Errorf("reconcile: %w", err)
		}
		problems, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("reconcile: %w", err)
		}
		if len(problems) > 0 {
			return fmt.Errorf("the books are wrong:\n%s", strings.Join(problems, "\n"))
		}
		var paid int64
		if err := conn.QueryRow(ctx, "select count(*) from billing.purchase where status = 'paid'").Scan(&paid); err != nil {
			return fmt.Errorf("count purchases: %w", err)
		}
		b.say("the books of %d paid purchases are right", paid)
	}
	return nil
}
