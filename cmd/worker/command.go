package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/config"
	"atlas-secure/internal/daemon"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/redisdb"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/worker"
)

func newCommand() *cobra.Command {
	root := daemon.Program{
		Name: "worker", Short: "Makes keys, sends messages, closes what is due and asks providers about payments",
		Component: config.Worker, Serve: serve,
	}.Command()
	root.AddCommand(
		&cobra.Command{
			Use: "jobs", Short: "List the jobs", Args: cobra.NoArgs,
			RunE: withParts(func(ctx context.Context, p *parts, out io.Writer, _ []string) error {
				return list(ctx, p.db, out)
			}),
		},
		&cobra.Command{
			Use: "components", Short: "List what the shop depends on, and how it is", Args: cobra.NoArgs,
			RunE: withParts(func(ctx context.Context, p *parts, out io.Writer, _ []string) error {
				return listComponents(ctx, p.db, out)
			}),
		},
		&cobra.Command{
			Use: "run NAME", Short: "Run one job once, now", Args: cobra.ExactArgs(1),
			RunE: withParts(func(ctx context.Context, p *parts, out io.Writer, args []string) error {
				items, err := p.worker.RunNow(ctx, args[0])
				if err != nil {
					return err
				}
				_, _ = fmt.Fprintf(out, "%s: %d item(s)\n", args[0], items)
				return nil
			}),
		},
		paymentCommands(),
	)
	return root
}

// withParts makes a command that works on a wired worker; its log goes to stderr, its answer to stdout.
func withParts(do func(ctx context.Context, p *parts, out io.Writer, args []string) error) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, args []string) error {
		cfg, err := config.Load(config.Worker)
		if err != nil {
			return err
		}
		p, err := wire(command.Context(), cfg, obs.NewLogger(os.Stderr, cfg.LogLevel, "worker"))
		if err != nil {
			return err
		}
		defer p.close()
		return do(command.Context(), p, command.OutOrStdout(), args)
	}
}

// serve runs until ctx ends: the jobs, and the HTTP server with metrics and health.
func serve(ctx context.Context, cfg *config.Config) error {
	log := obs.NewLogger(os.Stdout, cfg.LogLevel, "worker")
	p, err := wire(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer p.close()
	inspectLater, err := redisdb.Admit(ctx, p.redis, cfg.Environment != config.Local, log)
	if err != nil {
		return err //nolint:wrapcheck // says what it is about
	}
	loops, loopsCtx := errgroup.WithContext(ctx)
	loops.Go(func() error { inspectLater(loopsCtx); return nil })
	loops.Go(func() error { return obs.Serve(loopsCtx, log, cfg.WorkerHTTPAddr, p.mux, worker.Grace) })
	loops.Go(func() error {
		if err := p.db.Await(loopsCtx); err != nil {
			return err
		}
		return p.worker.Run(loopsCtx)
	})
	if err := loops.Wait(); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func list(ctx context.Context, db *sqlapi.DB, out io.Writer) error {
	jobs, err := db.Ops.Jobs(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "JOB\tSCHEDULE\tON\tRUNS IN\tBATCH\tTIMEOUT\tLAST START\tITEMS\tNEXT RUN\tFAILURES\tLAST ERROR")
	for _, job := range jobs {
		runsIn := "every worker"
		if job.IsExclusive {
			runsIn = "one worker"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%t\t%s\t%d\t%ds\t%s\t%s\t%s\t%d\t%.80s\n", job.Name, job.Schedule, job.IsEnabled, runsIn,
			job.BatchSize, job.TimeoutSeconds, moment(job.LastStartedAt), count(job.LastItems), moment(job.NextRunAt),
			job.ConsecutiveFailures, job.LastError)
	}
	return table.Flush()
}

func listComponents(ctx context.Context, db *sqlapi.DB, out io.Writer) error {
	components, err := db.Ops.ComponentStatus(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "COMPONENT\tSTATE\tSINCE\tCHECKED AT\tBY\tDETAIL")
	for _, c := range components {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%.120s\n", c.Component, c.State, moment(c.Since), moment(c.CheckedAt),
			c.CheckedBy, c.Detail)
	}
	return table.Flush()
}

func moment(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.UTC().Format(time.RFC3339)
}

func count(n *int64) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatInt(*n, 10)
}
