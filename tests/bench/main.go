// Command bench measures what this database does per second, each time beside a reference on the same server in the same
// round, and prints medians and ratios.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"atlas-secure/tests/bench/result"
)

// options are the flags.
type options struct {
	rounds, seconds, warm, users, scale, due, calls int

	clients   []int
	only      []string
	settings  map[string]string
	dir, name string // of the files with the figures
	isQuick   bool
}

const about = `Measures the functions of the SQL contract on a private, durable PostgreSQL server of this machine.

Everything is measured in rounds: in each, every subject runs once beside its reference; what is printed are medians, and
the medians of the rounds' ratios. The client is pgbench for both sides, over the unix socket, on the same cores as the
server. The server commits durably, as in production; checkpoints and autovacuum are kept out of the measurements.

Cases:
  1  a purchase from the balance against pgbench's own transaction (tpcb-like); opening and paying
  2  a purchase as one call against the same work as ten statements: on the socket, with 1 ms of network, on one wallet
  3  one promo code for all buyers against none
  4  one wallet against a thousand
  5  a provider's payment, and a withdrawal, against tpcb-like
  6  automatic renewals
  7  from a person's message to the bot's answer
CPU and WAL per transaction are measured with each.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	var o options
	command := &cobra.Command{
		Use: "bench", Short: "Measure the database's functions", Long: about, Args: cobra.NoArgs,
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.execute(cmd.Context(), cmd.OutOrStdout()) },
	}
	flags := command.Flags()
	flags.IntVar(&o.rounds, "rounds", 5, "how many rounds")
	flags.IntVar(&o.seconds, "seconds", 4, "how long each measurement takes, after the warm-up")
	flags.IntVar(&o.warm, "warm", 1, "seconds of warm-up before each measurement")
	flags.IntVar(&o.users, "users", 10_000, "how many users there are")
	flags.IntVar(&o.scale, "scale", 50, "scale of pgbench's own tables")
	flags.IntVar(&o.calls, "calls", 0, "make so many calls per client instead, which shows that all works, and little more")
	flags.IntVar(&o.due, "due", 100_000, "how many subscriptions are due for renewal in case 6")
	flags.IntSliceVar(&o.clients, "clients", []int{1, 8, 32, 64}, "numbers of clients of case 1")
	flags.StringSliceVar(&o.only, "only", nil, "cases to measure, such as 1,3; all when empty")
	flags.StringToStringVar(&o.settings, "settings", nil, "more settings of the server, such as shared_buffers=128MB,fsync=off")
	flags.StringVar(&o.dir, "dir", "", "folder for the figures (JSON) and their chart (SVG); nothing is written when empty")
	flags.StringVar(&o.name, "name", "bench", "name of these files; the checked-in ones are --dir tests/bench --name results")
	flags.BoolVar(&o.isQuick, "quick", false, "one round of two seconds each: rough")
	return command
}

func (o *options) execute(ctx context.Context, out io.Writer) (err error) {
	if o.isQuick {
		o.rounds, o.seconds = 1, 2
	}
	if o.rounds < 1 || o.seconds < 1 || o.warm < 1 || o.users < 100 || o.scale < 1 {
		return errors.New("--rounds, --seconds, --warm and --scale take 1 or more, --users 100 or more")
	}
	b, err := newBench(ctx, *o, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	groups, err := b.chosen()
	if err != nil {
		return err
	}
	if err := b.measure(ctx, groups); err != nil {
		return err
	}
	if err := b.reconcile(ctx); err != nil {
		return err
	}
	result.Print(out, &b.result)
	return b.write()
}

// chosen are the groups that --only names; all by default.
func (b *bench) chosen() ([]group, error) {
	all := []group{b.purchase(), b.statements(), b.hotCode(), b.oneWallet(), b.otherMoney(), b.renewals(), b.talking()}
	if len(b.only) == 0 {
		return all, nil
	}
	var groups []group
	for _, number := range b.only {
		i := slices.IndexFunc(all, func(g group) bool { return g.number == strings.TrimSpace(number) })
		if i < 0 {
			return nil, fmt.Errorf("--only %s: no such case", number)
		}
		groups = append(groups, all[i])
	}
	return groups, nil
}

// write writes the figures and, when they are complete, their chart.
func (b *bench) write() error {
	if b.options.dir == "" {
		return nil
	}
	path := filepath.Join(b.options.dir, b.name)
	file, err := os.Create(path + ".json")
	if err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	if err := errors.Join(b.result.Write(file), file.Close()); err != nil {
		return err
	}
	if len(b.only) > 0 {
		return nil
	}
	chart, err := result.Chart(&b.result)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".svg", []byte(chart), 0o644); err != nil {
		return fmt.Errorf("write the chart: %w", err)
	}
	return nil
}
