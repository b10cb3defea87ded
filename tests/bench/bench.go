package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/tests/bench/crowd"
	"atlas-secure/tests/bench/result"
	"atlas-secure/tests/bench/rig"
)

//go:embed scripts
var scripts embed.FS

// bench is one run: a server, what it is to measure, and what has been measured so far.
type bench struct {
	options
	server  *rig.Server
	work    string // a folder with the scripts
	out     io.Writer
	result  result.Result
	started time.Time

	next  int                // number of the next purchase
	best  map[string]float64 // rates seen, to prepare enough
	keep  []func() error     // what is stopped at the end
	books []*pgx.Conn        // databases whose books are to be right at the end
	steps int
	done  int
}

// subject is one thing that is measured in each round.
type subject struct {
	key, title string
	clients    int
	run        func(ctx context.Context, round int) (rig.Sample, error)
}

// group is a numbered case: subjects that are measured one after another in each round, in turn from the front and from
// the back, and what is compared.
type group struct {
	number   string
	title    string
	subjects []subject
	ratios   []result.Ratio
	// setup prepares what only this case needs.
	setup func(ctx context.Context) error
}

// guess is how many purchases per second to prepare at least: more than a quiet small machine pays.
func guess(clients int) float64 { return min(10_000, 2500*float64(clients)) }

func newBench(ctx context.Context, o options, out io.Writer) (*bench, error) {
	b := &bench{options: o, out: out, started: time.Now(), next: 1, best: map[string]float64{}}
	var err error
	if b.work, err = os.MkdirTemp("", "atlas-bench-"); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	b.keep = append(b.keep, func() error { return os.RemoveAll(b.work) })
	if err := os.CopyFS(b.work, scripts); err != nil {
		return nil, errors.Join(fmt.Errorf("write the scripts: %w", err), b.close())
	}
	b.say("starting a server")
	if b.server, err = rig.Start(ctx, o.settings); err != nil {
		return nil, errors.Join(err, b.close())
	}
	b.keep = append(b.keep, func() error { return b.server.Stop(context.WithoutCancel(ctx)) })
	b.say("%s", b.server.Describe())
	if err := b.fill(ctx); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) close() error {
	var problems []error
	for i := len(b.keep) - 1; i >= 0; i-- {
		problems = append(problems, b.keep[i]())
	}
	b.keep = nil
	return errors.Join(problems...)
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.out, "%6s  "+format+"\n", append([]any{time.Since(b.started).Round(time.Second)}, args...)...)
}

func (b *bench) fill(ctx context.Context) error {
	b.say("filling: %d users; pgbench's tables at scale %d", b.users, b.scale)
	b.books = []*pgx.Conn{b.server.Control}
	if err := crowd.Fill(ctx, b.server, b.users, "interval '10 days'", false); err != nil {
		return err
	}
	if err := b.server.InitTPCB(ctx, b.scale); err != nil {
		return err
	}
	if err := b.server.Exec(ctx, "vacuum (analyze)"); err != nil {
		return err
	}
	return b.describe(ctx)
}

// measure runs the groups in rounds.
func (b *bench) measure(ctx context.Context, groups []group) error {
	for _, g := range groups {
		b.steps += len(g.subjects) * b.rounds
		for _, s := range g.subjects {
			b.result.Figures = append(b.result.Figures, result.Figure{Case: g.number, Key: s.key, Title: s.title, Clients: s.clients})
		}
		if g.setup == nil {
			continue
		}
		if err := g.setup(ctx); err != nil {
			return fmt.Errorf("case %s: %w", g.number, err)
		}
	}
	for round := range b.rounds {
		for _, g := range groups {
			if err := b.once(ctx, g, round); err != nil {
				return fmt.Errorf("case %s, round %d: %w", g.number, round+1, err)
			}
		}
		if err := b.server.Exec(ctx, "vacuum (analyze)"); err != nil {
			return err
		}
	}
	for _, g := range groups {
		for _, ratio := range g.ratios {
			ratio.Case = g.number
			if err := b.result.Compare(ratio); err != nil {
				return err
			}
		}
	}
	return nil
}

// once measures a group's subjects once, every other round in reverse order: what is measured later in a round is at no
// disadvantage over all.
func (b *bench) once(ctx context.Context, g group, round int) error {
	for i := range g.subjects {
		s := g.subjects[i]
		if round%2 == 1 {
			s = g.subjects[len(g.subjects)-1-i]
		}
		sample, err := s.run(ctx, round)
		if err != nil {
			return fmt.Errorf("%s: %w", s.key, err)
		}
		b.result.Figure(s.key).Add(sample)
		b.done++
		b.say("%3d/%d  round %d  %-34s %9.0f /s  %8.2f ms  %6.0f µs CPU", b.done, b.steps, round+1, s.title,
			sample.PerSecond, sample.LatencyMS, sample.CPUMicros)
	}
	return nil
}

// script is where a script lies.
func (b *bench) script(name string) string { return filepath.Join(b.work, "scripts", name) }

// load is a run of one of our scripts by the bot's login.
func (b *bench) load(script string, clients int, variables map[string]int64) rig.Load {
	all := map[string]int64{"first_user": crowd.FirstUser, "users": int64(b.users), "admin": crowd.Admin}
	for name, value := range variables {
		all[name] = value
	}
	return rig.Load{Script: b.script(script), Variables: all, Clients: clients,
		Role: rig.BotLogin, Database: rig.Atlas, Warm: b.warm, Seconds: b.seconds, Calls: b.calls}
}

// numbers are enough numbers of purchases for one run of a subject.
func (b *bench) numbers(key string, clients int) (from, to int) {
	rate := max(1.5*b.best[key], guess(clients))
	count := int(rate * float64(b.warm+b.seconds+2))
	if b.calls > 0 {
		count = b.calls * clients
	}
	from = b.next
	b.next += count
	return from, b.next
}

// run runs pgbench and remembers the rate.
func (b *bench) run(ctx context.Context, key string, l rig.Load) (rig.Sample, error) {
	sample, err := b.server.Run(ctx, l)
	b.best[key] = max(b.best[key], sample.PerSecond)
	return sample, err
}

// tpcb is pgbench's own transaction: three updates, a select and an insert.
func (b *bench) tpcb(key string, clients int) subject {
	return subject{key, fmt.Sprintf("tpcb-like, %d clients", clients), clients, func(ctx context.Context, _ int) (rig.Sample, error) {
		return b.run(ctx, key, rig.Load{Clients: clients, Role: rig.Superuser, Database: rig.TPCB, Warm: b.warm, Seconds: b.seconds, Calls: b.calls})
	}}
}

// paying runs a script that pays purchases which are opened beforehand.
func (b *bench) paying(key, title string, clients, users int, load rig.Load) subject {
	return subject{key, title, clients, func(ctx context.Context, _ int) (rig.Sample, error) {
		from, to := b.numbers(key, clients)
		if err := crowd.Open(ctx, b.server, from, to, users); err != nil {
			return rig.Sample{}, err
		}
		l := load
		l.Variables = map[string]int64{}
		for name, value := range load.Variables {
			l.Variables[name] = value
		}
		l.Variables["base"], l.Variables["users"] = int64(from), int64(users)
		return b.run(ctx, key, l)
	}}
}
