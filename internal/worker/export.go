package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// Exports is what the job needs of schema ops.
type Exports interface {
	ClaimExport(ctx context.Context, holder string, lease time.Duration) (*sqlapi.ClaimedExport, error)
	ExportPage(ctx context.Context, e sqlapi.ClaimedExport, after sqlapi.ExportPlace, limit int) ([]sqlapi.ExportRow, error)
	KeepExport(ctx context.Context, e sqlapi.ClaimedExport, lease time.Duration, rowsRead int64) (sqlapi.KeptExport, error)
	RecordPart(ctx context.Context, e sqlapi.ClaimedExport, part sqlapi.ExportPart) (bool, error)
	FailExport(ctx context.Context, e sqlapi.ClaimedExport, reason string, isUnreachable bool) (bool, error)
	ReleaseExport(ctx context.Context, e sqlapi.ClaimedExport, reason string, wait time.Duration) (bool, error)
}

// Reachable notes whether messages reach somebody.
type Reachable interface {
	SetReachable(ctx context.Context, user atlas.TelegramID, isReachable bool) error
}

// Courier brings files to admins through the one rate-limited sender. Its errors are those of Messenger.Deliver.
type Courier interface {
	Bring(ctx context.Context, e sqlapi.ClaimedExport, part sqlapi.ExportPart, name string, content io.ReaderAt, size int64) error
}

// ExportOptions changes how exports are sent; what is zero has its usual value.
type ExportOptions struct {
	PartBytes int64         // the largest file: 45 MB, since Telegram takes 50
	PageRows  int           // rows read at a time, in one short transaction
	Lease     time.Duration // how soon another worker takes over
	Beat      time.Duration // how often the lease is renewed and the progress written down
}

// The usual values.
const (
	partBytes   = 45_000_000
	pageRows    = 5000
	exportLease = 30 * time.Second
	exportBeat  = 3 * time.Second
)

// Export sends the files that admins have asked for, one at a time, in every worker. Rows are read in pages into a file on
// the disk, in the order of their key; a part is sent when it is full, and then written down, so that whoever goes on after
// a crash begins after it. The part may come once more, and says its number.
//
//	claim ──► page … page ──► keep (may it be sent?) ──► send ──► record the part ──► page … ──► the last part ends it
//	             beside it, every few seconds: keep (lease, progress; is it over?)
func Export(books Exports, people Reachable, courier Courier, log *slog.Logger, options ExportOptions) Job {
	x := exporter{books: books, people: people, courier: courier, log: log, options: ExportOptions{
		PartBytes: partBytes, PageRows: pageRows, Lease: exportLease, Beat: exportBeat,
	}}
	if options.PartBytes > 0 {
		x.options.PartBytes = options.PartBytes
	}
	if options.PageRows > 0 {
		x.options.PageRows = options.PageRows
	}
	if options.Lease > 0 {
		x.options.Lease = options.Lease
	}
	if options.Beat > 0 {
		x.options.Beat = options.Beat
	}
	return x.work
}

type exporter struct {
	books   Exports
	people  Reachable
	courier Courier
	log     *slog.Logger
	options ExportOptions
}

func (x exporter) work(ctx context.Context, batch Batch) (int, error) {
	claimed, err := x.books.ClaimExport(ctx, batch.Holder, x.options.Lease)
	if err != nil {
		return 0, fmt.Errorf("claiming an export: %w", err)
	}
	if claimed == nil {
		return 0, nil
	}
	ctx = obs.WithTelegramID(ctx, int64(claimed.AdminID))
	r := &exportRun{
		exporter: x, export: *claimed, isStopping: batch.IsStopping, place: claimed.ExportPlace,
		rows: newRowWriter(claimed.Header, claimed.Numbers),
	}
	r.rowsRead.Store(claimed.RowsSent)
	return 1, r.conclude(ctx, time.Now(), r.watched(ctx))
}

// errExportOver means that nothing more is to be sent: the export has ended, or another worker has it.
var errExportOver = errors.New("the export goes on no more")

// exportOver says how it ended.
func exportOver(outcome string) error {
	if outcome == "" {
		outcome = "another worker has it"
	}
	return fmt.Errorf("%w: %s", errExportOver, outcome)
}

// exportRun is one attempt at an export.
type exportRun struct {
	exporter

	export     sqlapi.ClaimedExport
	isStopping func() bool

	rows     *rowWriter
	place    sqlapi.ExportPlace // after the last row that was read
	rowsRead atomic.Int64       // in all
}

// watched sends the parts, and keeps the lease meanwhile.
func (r *exportRun) watched(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var beat sync.WaitGroup
	beat.Go(func() {
		ticker := time.NewTicker(r.options.Beat)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			kept, err := r.books.KeepExport(ctx, r.export, r.options.Lease, r.rowsRead.Load())
			if err == nil && !kept.GoesOn { // an error may pass: before anything is sent it is asked again
				cancel(exportOver(kept.Outcome))
				return
			}
		}
	})
	err := r.send(ctx)
	cancel(nil)
	beat.Wait()
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errExportOver) {
		return cause
	}
	return err
}

// send reads all rows and sends them part by part.
func (r *exportRun) send(ctx context.Context) error {
	part, err := r.begin(ctx, r.export.Parts+1, r.export.RowsSent)
	if err != nil {
		return err
	}
	defer func() { part.close() }()
	for isLast := false; !isLast; {
		if r.isStopping() {
			return notBegunError{}
		}
		page, err := r.books.ExportPage(ctx, r.export, r.place, r.options.PageRows)
		if err != nil {
			return fmt.Errorf("reading rows: %w", err)
		}
		isLast = len(page) < r.options.PageRows
		for _, row := range page {
			if part, err = r.add(ctx, part, row); err != nil {
				return err
			}
		}
	}
	return r.ship(ctx, part, true)
}

// add writes a row, into the next part where it does not fit into this one. It gives the part to go on with, and the one that
// is to be closed where it fails.
func (r *exportRun) add(ctx context.Context, part exportPart, row sqlapi.ExportRow) (exportPart, error) {
	if row.Cells == nil {
		r.place = row.ExportPlace
		return part, nil
	}
	text, err := r.rows.row(row.Cells)
	if err != nil {
		return part, err
	}
	if part.rows > 0 && part.size+int64(len(text)) > r.options.PartBytes {
		if part, err = r.next(ctx, part); err != nil {
			return part, err
		}
	}
	if err := part.add(text); err != nil {
		return part, err
	}
	r.rowsRead.Add(1)
	r.place = row.ExportPlace
	return part, nil
}

// exportPart is a part in the making.
type exportPart struct {
	*sheet

	number     int
	rowsBefore int64
	from       time.Time
}

func (r *exportRun) begin(ctx context.Context, number int, rowsBefore int64) (exportPart, error) {
	from, err := r.keep(ctx)
	if err != nil {
		return exportPart{}, err
	}
	header, err := newRowWriter(r.export.Header, nil).row(r.export.Header)
	if err != nil {
		return exportPart{}, err
	}
	file, err := newSheet(header)
	return exportPart{sheet: file, number: number, rowsBefore: rowsBefore, from: from}, err
}

// next sends a part that is full and begins another. It gives the old one back where that fails.
func (r *exportRun) next(ctx context.Context, full exportPart) (exportPart, error) {
	if err := r.ship(ctx, full, false); err != nil {
		return full, err
	}
	part, err := r.begin(ctx, full.number+1, full.rowsBefore+full.rows)
	if err != nil {
		return full, err
	}
	full.close()
	return part, nil
}

// keep asks whether the export goes on, and what time it is.
func (r *exportRun) keep(ctx context.Context) (time.Time, error) {
	kept, err := r.books.KeepExport(ctx, r.export, r.options.Lease, r.rowsRead.Load())
	switch {
	case err != nil:
		return time.Time{}, fmt.Errorf("keeping the lease: %w", err)
	case !kept.GoesOn:
		return time.Time{}, exportOver(kept.Outcome)
	}
	return kept.At, nil
}

// ship sends a part, if the one who asked may still have it, and writes that down.
func (r *exportRun) ship(ctx context.Context, p exportPart, isLast bool) error {
	if err := p.finish(); err != nil {
		return err
	}
	to, err := r.keep(ctx)
	if err != nil {
		return err
	}
	part := sqlapi.ExportPart{
		Number: p.number, Rows: p.rows, RowsBefore: p.rowsBefore, Reached: r.place, IsLast: isLast, From: p.from, To: to,
	}
	if err := r.courier.Bring(ctx, r.export, part, partName(r.export, p.number), p.file, p.size); err != nil {
		return err //nolint:wrapcheck // the one who sends says what it was
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	isRecorded, err := r.books.RecordPart(last, r.export, part)
	switch {
	case err != nil:
		return fmt.Errorf("recording part %d: %w", p.number, err)
	case !isRecorded:
		return exportOver("")
	}
	return nil
}

// partName is what the file is called: atlas-users-2026-11-28-part-1.csv.
func partName(e sqlapi.ClaimedExport, number int) string {
	what := strings.ReplaceAll(e.Kind, "_", "-")
	if e.BatchID != 0 {
		what = fmt.Sprintf("%s-%d", what, e.BatchID)
	}
	return fmt.Sprintf("atlas-%s-%s-part-%d.csv", what, e.RequestedAt.UTC().Format(time.DateOnly), number)
}

// conclude writes down how the attempt ended. Its error is about the writing.
func (r *exportRun) conclude(ctx context.Context, start time.Time, sending error) error {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	attrs := []any{
		obs.Operation("ops.send_exports"), obs.Took(start), "export_id", r.export.ExportID, "kind", r.export.Kind,
		"attempt", r.export.Attempt, "rows", r.rowsRead.Load(),
	}
	var postponed Postponed
	var undelivered Undelivered
	isRecorded, err := true, error(nil)
	switch {
	case sending == nil:
		r.log.InfoContext(ctx, "export", append(attrs, obs.Outcome(obs.OutcomeOK))...)
	case errors.Is(sending, errExportOver):
		r.log.InfoContext(ctx, "export", append(attrs, obs.Outcome(obs.OutcomeRefused), obs.Err(sending))...)
	case errors.As(sending, &postponed):
		r.log.WarnContext(ctx, "export", append(attrs, obs.Outcome(obs.OutcomeRetried), obs.Err(sending))...)
		isRecorded, err = r.books.ReleaseExport(last, r.export, sending.Error(), postponed.Wait())
	case ctx.Err() != nil: // this run's time is over, or the process stops: the next goes on after the last part
		r.log.WarnContext(ctx, "export", append(attrs, obs.Outcome(obs.OutcomeRetried), obs.Err(sending))...)
		isRecorded, err = r.books.ReleaseExport(last, r.export, sending.Error(), 0)
	default:
		isGone := errors.As(sending, &undelivered) && undelivered.IsUnreachable()
		r.log.WarnContext(ctx, "export", append(attrs, obs.Outcome(obs.OutcomeFailed), obs.Err(sending))...)
		isRecorded, err = r.books.FailExport(last, r.export, sending.Error(), isGone)
		if err == nil && isGone {
			err = r.people.SetReachable(last, r.export.AdminID, false)
		}
	}
	if !isRecorded && err == nil {
		r.log.WarnContext(ctx, "another worker has the export now", attrs...)
	}
	if err != nil {
		return fmt.Errorf("export %d: %w", r.export.ExportID, err)
	}
	return nil
}
