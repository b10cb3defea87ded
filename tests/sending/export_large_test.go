package sending_test

import (
	"context"
	"flag"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/worker"
)

var exportUsers = flag.Int("export.users", 2000, "how many users, with two ledger rows each, the large export has")

// sink takes parts, and reads them as Telegram would.
type sink struct {
	worker.Courier

	bytes, rows int64
	parts       int
}

func (s *sink) Bring(_ context.Context, _ sqlapi.ClaimedExport, part sqlapi.ExportPart, _ string, content io.ReaderAt, size int64) error {
	n, err := io.Copy(io.Discard, io.NewSectionReader(content, 0, size))
	s.bytes, s.rows, s.parts = s.bytes+n, s.rows+part.Rows, s.parts+1
	return err
}

// TestALargeExport says how long it takes, and how little memory. Figures are printed and never gate: -export.users=250000 has half a
// million ledger rows.
func TestALargeExport(t *testing.T) {
	x := setupExports(t)
	for left := *exportUsers; left > 0; left -= 20_000 {
		x.growFrom(*exportUsers-left, min(left, 20_000))
	}
	x.owner.Query("analyze ledger.transfer")
	x.owner.Query("analyze account.account")
	for _, kind := range []string{"ledger", "users"} {
		id := x.ask(kind, nil)
		s := &sink{}
		job := x.job(worker.ExportOptions{}, func(_ *process, _ *worker.Exports, courier *worker.Courier) { *courier = s })
		runtime.GC()
		var before, now runtime.MemStats
		runtime.ReadMemStats(&before)
		var most uint64
		done := make(chan struct{})
		var watch sync.WaitGroup
		watch.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(20 * time.Millisecond):
				}
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc)
			}
		})
		started := time.Now()
		require.NoError(t, x.run(t.Context(), job))
		took := time.Since(started)
		close(done)
		watch.Wait()
		require.Equal(t, "done", x.state(id)["outcome"])
		require.Equal(t, int64(x.state(id)["rows_sent"].(int)), s.rows)
		grown := int64(max(most, before.HeapAlloc)) - int64(before.HeapAlloc)
		t.Logf("%s: %d rows, %d bytes in %d parts, %s; the heap grew by %d MB at most", kind, s.rows, s.bytes, s.parts, took.Round(time.Millisecond), grown>>20)
	}
}
