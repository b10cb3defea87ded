package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// Reports is what the health job needs of schema ops.
type Reports interface {
	ReportComponent(ctx context.Context, report sqlapi.ComponentReport) (isChanged bool, err error)
}

// probeTimeout is how long something may take to answer before it counts as away.
const probeTimeout = 5 * time.Second

// CheckHealth looks whether what the shop depends on answers, and writes down what it saw. The database remembers how it
// was before, and tells the admins of a change: once, whichever worker sees it.
func CheckHealth(reports Reports, log *slog.Logger, checks ...obs.Check) Job {
	return func(ctx context.Context, batch Batch) (int, error) {
		seen := make([]error, len(checks))
		var probes sync.WaitGroup
		for i, check := range checks {
			probes.Go(func() {
				ctx, cancel := context.WithTimeout(ctx, probeTimeout)
				defer cancel()
				seen[i] = check.Probe(ctx)
			})
		}
		probes.Wait()
		if batch.IsStopping() {
			return 0, nil // what was cut short says nothing
		}
		changed := 0
		for i, check := range checks {
			report := sqlapi.ComponentReport{
				Component: check.Name, IsUp: seen[i] == nil, Instance: batch.Holder, Epoch: batch.Epoch,
			}
			if seen[i] != nil {
				report.Detail = seen[i].Error()
			}
			isChanged, err := reports.ReportComponent(ctx, report)
			if err != nil {
				return changed, fmt.Errorf("reporting %s: %w", check.Name, err)
			}
			if isChanged {
				changed++
				logChange(ctx, log, check.Name, seen[i])
			}
		}
		return changed, nil
	}
}

func logChange(ctx context.Context, log *slog.Logger, name string, problem error) {
	if problem != nil {
		log.WarnContext(ctx, "a component is down", obs.Operation("ops.check_health"), obs.Outcome(obs.OutcomeFailed),
			slog.String("name", name), obs.Err(problem))
		return
	}
	log.InfoContext(ctx, "a component is up", obs.Operation("ops.check_health"), obs.Outcome(obs.OutcomeOK),
		slog.String("name", name))
}
