package worker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"atlas-secure/internal/lease"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/wait"
)

// Books is what the worker needs of schema ops.
type Books interface {
	Jobs(ctx context.Context) ([]sqlapi.Job, error)
	ClaimRun(ctx context.Context, job, holder string) (sqlapi.ClaimedRun, error)
	FinishRun(ctx context.Context, run sqlapi.FinishedRun) (bool, error)
	ReleaseLease(ctx context.Context, name, holder string) (bool, error)
}

// Batch is leave to work off up to Limit rows. Epoch is nil for a job that runs in every worker.
type Batch struct {
	Holder string
	Epoch  *int64
	Limit  int
	// IsStopping says that the process was told to stop: finish what is in hand, begin nothing.
	IsStopping func() bool
}

// Job works off a batch and gives how many rows it worked off. It is called again at once if the batch was full.
type Job func(ctx context.Context, batch Batch) (items int, err error)

// Worker runs jobs by the schedule in the database.
type Worker struct {
	books  Books
	jobs   map[string]Job
	holder string
	filter *lease.Filter
	log    *slog.Logger
	meter  *Meter

	schedule *obs.Outage // of reading it

	mu      sync.Mutex
	running map[string]bool
	failing map[string]*obs.Outage
	leads   map[string]bool    // jobs whose lease this worker had when it last asked
	nextRun map[string]planned // of the jobs that are not exclusive
	runs    sync.WaitGroup
}

type planned struct {
	schedule string
	at       time.Time
}

// New makes a worker for the jobs, by the names they have in ops.job. A nil filter lets every worker ask for every job.
func New(books Books, jobs map[string]Job, holder string, filter *lease.Filter, log *slog.Logger, meter *Meter) *Worker {
	return &Worker{
		books: books, jobs: jobs, holder: holder, filter: filter, log: log, meter: meter,
		schedule: obs.NewOutage(log, "schedule"),
		running:  map[string]bool{}, failing: map[string]*obs.Outage{}, leads: map[string]bool{}, nextRun: map[string]planned{},
	}
}

// Holder names this process in leases: host, process id and something random, since ids come back.
func Holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand aborts the process instead
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), hex.EncodeToString(random[:]))
}

const (
	tick = time.Second
	// Grace is how long runs may take to finish once the process was told to stop.
	Grace = 20 * time.Second
	// recordTimeout is for writing down how a run ended, beyond the run's own time.
	recordTimeout = 5 * time.Second
)

// Run looks at the schedule every second until the context ends. Then it starts nothing more, waits for the runs in hand
// up to Grace, and cancels those that are still going. It returns when no run is left.
func (w *Worker) Run(ctx context.Context) error {
	work, cancel := wait.Outliving(ctx, Grace)
	defer cancel()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	w.log.InfoContext(ctx, "working", obs.Operation("start"), slog.String("holder", w.holder))
	for ctx.Err() == nil {
		w.startDue(ctx, work)
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	w.runs.Wait() // also for those that were cancelled: no goroutine outlives its owner
	w.releaseLeases(work)
	w.log.InfoContext(work, "stopped", obs.Operation("stop"), obs.Outcome(obs.OutcomeOK))
	return nil
}

// releaseLeases lets other workers take over at once instead of when the leases end.
func (w *Worker) releaseLeases(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range w.leads {
		if _, err := w.books.ReleaseLease(ctx, name, w.holder); err != nil {
			w.log.WarnContext(ctx, "a lease could not be released", obs.Operation(name), obs.Outcome(obs.OutcomeFailed),
				obs.Err(err))
			return
		}
		w.filter.Leave(ctx, name)
	}
}

// startDue reads the schedule and starts what is due. ctx ends when the process is told to stop, work only at the end of
// the grace period.
func (w *Worker) startDue(ctx, work context.Context) {
	jobs, err := w.books.Jobs(ctx)
	if err != nil {
		if ctx.Err() == nil {
			w.schedule.Failed(ctx, "the schedule cannot be read", err)
		}
		return
	}
	w.schedule.Over(ctx)
	for _, job := range jobs {
		run, isKnown := w.jobs[job.Name]
		if !isKnown || !job.IsEnabled || !w.begin(job, time.Now()) {
			continue
		}
		w.runs.Go(func() {
			defer w.end(job.Name)
			jobCtx := obs.WithCorrelationID(work, obs.NewCorrelationID(job.Name))
			_ = w.once(jobCtx, job, run, func() bool { return ctx.Err() != nil })
		})
	}
}

// clockSkew is how much earlier than by this machine's clock the database may be asked: its own clock decides.
const clockSkew = time.Second

// begin says whether the job is due here, and marks it as running. In one process a job never runs twice at a time.
func (w *Worker) begin(job sqlapi.Job, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running[job.Name] {
		return false
	}
	schedule, err := ParseSchedule(job.Schedule)
	if err != nil {
		w.log.Error("a job cannot run", obs.Operation(job.Name), obs.Outcome(obs.OutcomeFailed), obs.Err(err))
		return false
	}
	isDue := job.NextRunAt == nil || !job.NextRunAt.After(now.Add(clockSkew))
	if !job.IsExclusive {
		isDue = w.isDueHere(job, schedule, now)
	}
	if !isDue {
		return false
	}
	w.running[job.Name] = true
	return true
}

// isDueHere keeps the timer of a job that runs in every worker. A job seen for the first time, or with a new schedule, runs
// at once if it goes by seconds, and at its next time if it goes by the calendar.
func (w *Worker) isDueHere(job sqlapi.Job, schedule Schedule, now time.Time) bool {
	next, isPlanned := w.nextRun[job.Name]
	if !isPlanned || next.schedule != job.Schedule {
		next = planned{schedule: job.Schedule, at: now}
		if _, bySeconds := schedule.(every); !bySeconds {
			next.at = schedule.Next(now)
		}
	}
	isDue := !next.at.After(now)
	if isDue {
		next.at = schedule.Next(now)
	}
	w.nextRun[job.Name] = next
	return isDue
}

// filterTTL is how long a worker stays the next in line for a job that it has asked for. It is longer than a tick, and short
// enough for another one to be asked in time when it is gone; a lease in Postgres lasts as long as a run may take.
const filterTTL = 5 * time.Second

// mayClaim says whether this worker asks Postgres for a run. Of those that do not lead an exclusive job one does.
func (w *Worker) mayClaim(ctx context.Context, job sqlapi.Job) bool {
	if !job.IsExclusive {
		return true
	}
	isInLine := w.filter.Passes(ctx, job.Name, filterTTL)
	w.mu.Lock()
	defer w.mu.Unlock()
	return isInLine || w.leads[job.Name]
}

func (w *Worker) note(name string, isLeader bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if isLeader {
		w.leads[name] = true
	} else {
		delete(w.leads, name)
	}
}

// outage is that of a job: a job that fails every second is told of once.
func (w *Worker) outage(name string) *obs.Outage {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing[name] == nil {
		w.failing[name] = obs.NewOutage(w.log, name)
	}
	return w.failing[name]
}

func (w *Worker) end(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.running, name)
}

// ErrNotClaimed means that the job was not run: another worker has it, it is not due, or it is switched off.
var ErrNotClaimed = errors.New("the job was not claimed: another worker runs it, it is not due yet, or it is switched off")

// RunNow runs a job once, now, outside its schedule. For an exclusive job it is the caller's own run by hand: the SQL
// function takes the job's own lock. When ctx ends it begins nothing more, and has Grace for what is in hand.
func (w *Worker) RunNow(ctx context.Context, name string) (items int, err error) {
	jobs, err := w.books.Jobs(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the schedule: %w", err)
	}
	for _, job := range jobs {
		run, isKnown := w.jobs[name]
		if job.Name != name || !isKnown {
			continue
		}
		work, cancel := wait.Outliving(ctx, Grace)
		defer cancel()
		return w.drain(obs.WithCorrelationID(work, obs.NewCorrelationID(name)), run,
			sqlapi.ClaimedRun{BatchSize: job.BatchSize, TimeoutSeconds: job.TimeoutSeconds}, func() bool { return ctx.Err() != nil })
	}
	return 0, fmt.Errorf("no such job: %q", name)
}
