package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	threads   = 2
	killGrace = 10 * time.Second
	// warmCalls are how many transactions each client makes before it is measured, in the mean: the first of each
	// connection compile the functions, and after five the plans are kept.
	warmCalls = 20
	warmLimit = time.Minute
	// forever is more seconds than pgbench ever needs: it is ended when the figures are complete.
	forever = 3600
)

// Load is one run of pgbench.
type Load struct {
	// Script is the path of a script; empty is pgbench's own transaction, as it is built in.
	Script string
	// Variables of the script. Each client counts its own transactions in n, from 0 on; clients and client_id are known.
	Variables map[string]int64
	Clients   int
	// Role and Database to connect to, over the unix socket.
	Role, Database string
	// Warm is how long to wait at least until caches and plans are warm, in seconds; then Seconds are measured.
	Warm, Seconds int
	// Calls, when set, are made by each client instead, without warm-up: that shows that all works, and little more.
	Calls int
}

// Sample is what was measured.
type Sample struct {
	PerSecond    float64 `json:"per_second"`
	LatencyMS    float64 `json:"latency_ms"`
	CPUMicros    float64 `json:"cpu_us"`            // of the backends that did the work, per transaction
	Background   float64 `json:"background_cpu_us"` // of the server's other processes, per transaction
	ClientMicros float64 `json:"client_cpu_us"`     // of pgbench, per transaction
	WALBytes     float64 `json:"wal_bytes"`         // per transaction
	Others       float64 `json:"other_programs"`    // share of the machine that neither the server nor pgbench used
	P50, P99     float64 `json:"-"`
}

var progress = regexp.MustCompile(`^progress: ([0-9.]+) s, ([0-9.]+) tps, lat ([0-9.]+|NaN) ms`)

// errNoFigures means that pgbench ended before the figures were complete.
var errNoFigures = errors.New("pgbench ended too early")

// Run runs pgbench and measures its transactions from the end of the warm-up on.
func (s *Server) Run(ctx context.Context, l Load) (Sample, error) {
	if l.Calls > 0 {
		return s.runCalls(ctx, l)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(l.Warm+l.Seconds)*time.Second+warmLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.Program("pgbench"), s.arguments(l)...)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+s.Password(), "PGAPPNAME=pgbench")
	cmd.WaitDelay = killGrace
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	said, err := cmd.StderrPipe()
	if err != nil {
		return Sample{}, fmt.Errorf("pgbench: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return Sample{}, fmt.Errorf("pgbench: %w", err)
	}
	sample, text, err := s.follow(ctx, l, cmd.Process.Pid, said)
	// The figures are complete, or never will be: what still runs is of no interest.
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_, _ = io.Copy(io.Discard, said)
	_ = cmd.Wait()
	if err != nil {
		return sample, fmt.Errorf("%s: %w\n%s", l.Script, err, text)
	}
	return sample, s.waitGone(ctx)
}

var summary = regexp.MustCompile(`(?s)latency average = ([0-9.]+) ms.*tps = ([0-9.]+)`)

// runCalls lets each client make so many calls.
func (s *Server) runCalls(ctx context.Context, l Load) (Sample, error) {
	cmd := exec.CommandContext(ctx, s.Program("pgbench"), s.arguments(l)...)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+s.Password(), "PGAPPNAME=pgbench")
	said, err := cmd.CombinedOutput()
	if err != nil {
		return Sample{}, fmt.Errorf("%s: %w\n%s", l.Script, err, said)
	}
	fields := summary.FindStringSubmatch(string(said))
	if fields == nil {
		return Sample{}, fmt.Errorf("%s: no figures in what pgbench says:\n%s", l.Script, said)
	}
	return Sample{LatencyMS: number(fields[1]), PerSecond: number(fields[2])}, nil
}

// follow reads what pgbench says each second, and the counters at the right moments.
func (s *Server) follow(ctx context.Context, l Load, pid int, said io.Reader) (Sample, string, error) {
	var before usage
	var warm, count, latency, from, start float64
	var text strings.Builder
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		fields := progress.FindStringSubmatch(lines.Text())
		if fields == nil {
			text.WriteString(lines.Text() + "\n")
			if strings.Contains(lines.Text(), "aborted") {
				return Sample{}, text.String(), errors.New("a client of pgbench gave up")
			}
			continue
		}
		at, rate, ms := number(fields[1]), number(fields[2]), number(fields[3])
		n := rate * (at - from)
		warm += n
		switch {
		case before.at.IsZero() && (at < float64(l.Warm)-0.5 || warm < float64(warmCalls*l.Clients)):
			from = at
			continue
		case before.at.IsZero():
			var err error
			if before, err = s.usage(ctx, isPgbench, pid); err != nil {
				return Sample{}, text.String(), err
			}
			from, start = at, at
			continue
		}
		count, latency, from = count+n, latency+n*ms, at
		if at-start > float64(l.Seconds)-0.5 {
			after, err := s.usage(ctx, isPgbench, pid)
			if err != nil {
				return Sample{}, text.String(), err
			}
			return perTransaction(before, after, count, latency, at-start), text.String(), nil
		}
	}
	return Sample{}, text.String(), errNoFigures
}

func number(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n != n { // NaN where nothing was done
		return 0
	}
	return n
}

func (s *Server) arguments(l Load) []string {
	config := s.Control.Config()
	args := []string{
		"-n", "-M", "prepared", "-c", strconv.Itoa(l.Clients), "-j", strconv.Itoa(min(threads, l.Clients)),
		"-h", config.Host, "-p", strconv.Itoa(int(config.Port)), "-U", l.Role,
	}
	if l.Calls > 0 {
		args = append(args, "-t", strconv.Itoa(l.Calls))
	} else {
		args = append(args, "-P", "1", "-T", strconv.Itoa(forever))
	}
	if l.Script == "" {
		return append(args, "-b", "tpcb-like", l.Database)
	}
	args = append(args, "-f", l.Script, "-D", "n=0", "-D", fmt.Sprintf("clients=%d", l.Clients))
	names := make([]string, 0, len(l.Variables))
	for name := range l.Variables {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		args = append(args, "-D", fmt.Sprintf("%s=%d", name, l.Variables[name]))
	}
	return append(args, l.Database)
}

// waitGone waits until no backend serves pgbench any more.
func (s *Server) waitGone(ctx context.Context) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		var left int
		err := s.Control.QueryRow(ctx, "select count(*) from pg_stat_activity where application_name = 'pgbench'").Scan(&left)
		if err != nil {
			return fmt.Errorf("count pgbench's connections: %w", err)
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d connections of pgbench do not end: %w", left, ctx.Err())
		case <-ticker.C:
		}
	}
}

// InitTPCB fills the database of pgbench's own transaction.
func (s *Server) InitTPCB(ctx context.Context, scale int) error {
	config := s.Control.Config()
	cmd := exec.CommandContext(ctx, s.Program("pgbench"), "-i", "-q", "-s", strconv.Itoa(scale), "-h", config.Host,
		"-p", strconv.Itoa(int(config.Port)), "-U", Superuser, TPCB)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("pgbench -i: %w\n%s", err, out)
	}
	return nil
}
