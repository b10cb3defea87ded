package sending_test

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/worker"
	"atlas-secure/tests/contract/desk"
)

// hooked is a Telegram and books that something happens at.
type hooked struct {
	worker.Exports
	worker.Courier

	before func(part int)            // it is brought
	on     func(ctx context.Context) // its way
	after  func(part int)            // and was
	page   func()                    // before each is read
	record func(part int) error      // that it was brought
}

func (h *hooked) Bring(ctx context.Context, e sqlapi.ClaimedExport, part sqlapi.ExportPart, name string, content io.ReaderAt, size int64) error {
	if h.before != nil {
		h.before(part.Number)
	}
	if h.on != nil {
		h.on(ctx)
	}
	err := h.Courier.Bring(ctx, e, part, name, content, size)
	if h.after != nil {
		h.after(part.Number)
	}
	return err
}

func (h *hooked) ExportPage(ctx context.Context, e sqlapi.ClaimedExport, after sqlapi.ExportPlace, limit int) ([]sqlapi.ExportRow, error) {
	if h.page != nil {
		h.page()
	}
	return h.Exports.ExportPage(ctx, e, after, limit)
}

func (h *hooked) RecordPart(ctx context.Context, e sqlapi.ClaimedExport, part sqlapi.ExportPart) (bool, error) {
	if h.record != nil {
		if err := h.record(part.Number); err != nil {
			return false, err
		}
	}
	return h.Exports.RecordPart(ctx, e, part)
}

// between puts itself between a job and the world.
func (h *hooked) between(_ *process, books *worker.Exports, courier *worker.Courier) {
	h.Exports, h.Courier = *books, *courier
	*books, *courier = h, h
}

// TestAnotherWorkerGoesOn where one was told to stop between two parts: nothing is missing, and nothing comes twice.
func TestAnotherWorkerGoesOn(t *testing.T) {
	x := setupExports(t)
	x.grow(100)
	export := x.ask("ledger", nil)
	options := worker.ExportOptions{PartBytes: 4000, PageRows: 10}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	h := &hooked{after: func(part int) {
		if part == 2 {
			stop()
		}
	}}
	require.NoError(t, x.run(ctx, x.job(options, h.between)))
	require.Equal(t, []any{nil, 2, 0}, []any{x.state(export)["outcome"], x.state(export)["parts"], x.state(export)["attempt"]})
	require.NoError(t, x.run(t.Context(), x.job(options)))
	require.Equal(t, "done", x.state(export)["outcome"])
	require.Len(t, x.files(), x.state(export)["parts"].(int))
	x.rowsOnce(x.files())
}

// dead is a worker that was killed: it says nothing any more.
type dead struct{ hooked }

func (d *dead) FailExport(context.Context, sqlapi.ClaimedExport, string, bool) (bool, error) {
	return false, io.ErrClosedPipe
}

// TestAWorkerIsKilledWhenAPartHasGoneOut, and has not written that down: it comes once more, under its number.
func TestAWorkerIsKilledWhenAPartHasGoneOut(t *testing.T) {
	x := setupExports(t)
	x.grow(100)
	export := x.ask("ledger", nil)
	options := worker.ExportOptions{PartBytes: 4000, PageRows: 10}
	d := &dead{hooked{record: func(part int) error {
		if part == 3 {
			return io.ErrClosedPipe
		}
		return nil
	}}}
	err := x.run(t.Context(), x.job(options, func(_ *process, books *worker.Exports, courier *worker.Courier) {
		d.Exports, d.Courier = *books, *courier
		*books, *courier = d, d
	}))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.Equal(t, 2, x.state(export)["parts"])
	second := x.job(options)
	require.NoError(t, x.run(t.Context(), second))
	require.Nil(t, x.state(export)["outcome"], "the lease of the first stands")
	x.owner.Later("1 minute")
	require.NoError(t, x.run(t.Context(), second))
	require.Equal(t, "done", x.state(export)["outcome"])
	files := x.files()
	require.Len(t, files, x.state(export)["parts"].(int)+1)
	require.Equal(t, []string{"3", "3"}, []string{files[2].part, files[3].part})
	require.Equal(t, files[2].rows, files[3].rows, "the same part")
	x.rowsOnce(files)
}

func TestAnExportToWhoHasBlockedTheBotEnds(t *testing.T) {
	x := setupExports(t)
	x.grow(100)
	export := x.ask("ledger", nil)
	h := &hooked{before: func(part int) {
		if part == 2 {
			require.NoError(t, x.boss.Block(t.Context()))
		}
	}}
	require.NoError(t, x.run(t.Context(), x.job(worker.ExportOptions{PartBytes: 4000}, h.between)))
	require.Equal(t, []any{"unreachable", 1}, []any{x.state(export)["outcome"], x.state(export)["parts"]})
	require.Contains(t, x.state(export)["last_error"], "blocked by the user")
	require.Equal(t, false, x.owner.Value("select is_reachable from account.account where telegram_id = $1", x.boss.ID))
	require.Empty(t, x.Query("select * from ops.dead_letter"))
	require.Len(t, x.files(), 1)
}

// TestWhoIsNoAdminAnyMoreGetsNothing: neither who ceases to be one before it is claimed, nor while it is read, nor between two parts.
func TestWhoIsNoAdminAnyMoreGetsNothing(t *testing.T) {
	x := setupExports(t)
	x.grow(100)
	revoke := func() { x.One("account.revoke_admin", desk.A{"p_telegram_id": x.boss.ID, "p_note": "test"}) }
	grant := func() { x.One("account.grant_admin", desk.A{"p_telegram_id": x.boss.ID, "p_note": "test"}) }
	options := worker.ExportOptions{PartBytes: 4000}
	export := x.ask("ledger", nil)
	revoke()
	require.NoError(t, x.run(t.Context(), x.job(options)))
	require.Equal(t, "refused", x.state(export)["outcome"])

	grant()
	export = x.ask("ledger", nil)
	require.NoError(t, x.run(t.Context(), x.job(options, (&hooked{page: sync.OnceFunc(revoke)}).between)))
	require.Equal(t, "refused", x.state(export)["outcome"])
	require.Empty(t, x.files())

	grant()
	export = x.ask("ledger", nil)
	require.NoError(t, x.run(t.Context(), x.job(options, (&hooked{after: func(part int) {
		if part == 2 {
			revoke()
		}
	}}).between)))
	require.Equal(t, []any{"refused", 2}, []any{x.state(export)["outcome"], x.state(export)["parts"]})
	require.Len(t, x.files(), 2)
	require.Equal(t, 3, x.Value("select count(*) from audit.event where action = 'ops.export_ended' and details ->> 'outcome' = 'refused'"))
}

// TestAnExportIsStoppedOnItsWay: the worker hears of it, and sends nothing more.
func TestAnExportIsStoppedOnItsWay(t *testing.T) {
	x := setupExports(t)
	x.grow(300)
	export := x.ask("ledger", nil)
	cancel := desk.A{"p_admin_id": x.boss.ID, "p_export_id": export}
	h := &hooked{}
	var pages int
	h.page = func() {
		if pages++; pages == 20 {
			x.One("ops.cancel_export", cancel)
			time.Sleep(100 * time.Millisecond) // a page that takes long
		}
	}
	require.NoError(t, x.run(t.Context(), x.job(worker.ExportOptions{PageRows: 10, Beat: 10 * time.Millisecond}, h.between)))
	require.Equal(t, []any{"cancelled", 0}, []any{x.state(export)["outcome"], x.state(export)["parts"]})
	require.Equal(t, 20, pages, "it is not read to the end")
	require.Empty(t, x.files())
}

// TestAnExportIsStoppedWhileAPartIsOnItsWay: it need not arrive.
func TestAnExportIsStoppedWhileAPartIsOnItsWay(t *testing.T) {
	x := setupExports(t)
	export := x.ask("users", nil)
	isHeard := false
	h := &hooked{on: func(ctx context.Context) {
		x.One("ops.cancel_export", desk.A{"p_admin_id": x.boss.ID, "p_export_id": export})
		select {
		case <-ctx.Done():
			isHeard = true
		case <-time.After(20 * time.Second):
		}
	}}
	require.NoError(t, x.run(t.Context(), x.job(worker.ExportOptions{Beat: 10 * time.Millisecond}, h.between)))
	require.True(t, isHeard)
	require.Equal(t, []any{"cancelled", 0}, []any{x.state(export)["outcome"], x.state(export)["parts"]})
	require.Empty(t, x.files())
}

// TestALeaseIsKeptWhileAPageTakesLong, and how far it is is seen meanwhile.
func TestALeaseIsKeptWhileAPageTakesLong(t *testing.T) {
	x := setupExports(t)
	x.grow(5)
	export := x.ask("ledger", nil)
	other := x.job(worker.ExportOptions{})
	h, pages := &hooked{}, 0
	h.page = func() {
		if pages++; pages != 2 {
			return
		}
		time.Sleep(1500 * time.Millisecond)
		require.Equal(t, 3, x.owner.Value("select rows_read from ops.export"))
		require.NoError(t, x.run(t.Context(), other))
		require.Equal(t, 1, x.state(export)["attempt"], "nobody else takes it")
	}
	require.NoError(t, x.run(t.Context(), x.job(worker.ExportOptions{PageRows: 3, Lease: time.Second, Beat: 50 * time.Millisecond}, h.between)))
	require.Equal(t, "done", x.state(export)["outcome"])
	require.Len(t, x.files(), 1)
}

// TestAnExportWaitsWhileTelegramSaysSo: what was refused is sent when it may be, and costs no attempt.
func TestAnExportWaitsWhileTelegramSaysSo(t *testing.T) {
	x := setupExports(t)
	x.grow(10)
	export := x.ask("ledger", nil)
	job := x.job(worker.ExportOptions{})
	tooMany := botapi.Fault{Method: "sendDocument", Action: "error", RetryAfter: 1, Count: 1}
	require.NoError(t, x.people.AddFault(t.Context(), tooMany))
	started := time.Now()
	require.NoError(t, x.run(t.Context(), job))
	require.GreaterOrEqual(t, time.Since(started), time.Second)
	require.Equal(t, "done", x.state(export)["outcome"])

	export = x.ask("ledger", nil)
	tooMany.Count = 3
	require.NoError(t, x.people.AddFault(t.Context(), tooMany))
	require.NoError(t, x.run(t.Context(), job))
	require.Equal(t, []any{nil, 0}, []any{x.state(export)["outcome"], x.state(export)["attempt"]}, "given back")
	require.Contains(t, x.state(export)["last_error"], "Too Many Requests")
	x.owner.Later("5 seconds")
	require.NoError(t, x.run(t.Context(), job))
	require.Equal(t, "done", x.state(export)["outcome"])
	require.Len(t, x.files(), 2)
}

// TestAnExportThatTelegramLosesIsTriedAgain: nobody knows whether it arrived, so that it may come twice.
func TestAnExportThatTelegramLosesIsTriedAgain(t *testing.T) {
	x := setupExports(t)
	export := x.ask("users", nil)
	require.NoError(t, x.people.AddFault(t.Context(), botapi.Fault{Method: "sendDocument", Action: "drop", Count: 1}))
	job := x.job(worker.ExportOptions{})
	require.NoError(t, x.run(t.Context(), job))
	require.Equal(t, []any{nil, 1}, []any{x.state(export)["outcome"], x.state(export)["attempt"]})
	require.NoError(t, x.run(t.Context(), job))
	require.Nil(t, x.state(export)["outcome"], "not at once")
	x.owner.Later("31 seconds")
	require.NoError(t, x.run(t.Context(), job))
	require.Equal(t, "done", x.state(export)["outcome"])
	require.Len(t, x.files(), 2)
}
