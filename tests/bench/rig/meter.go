package rig

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Meter measures what some backends and the server use for some work.
type Meter struct {
	server *Server
	before usage
	isIt   func(pid int, application string) bool
}

// Meter starts to measure the work that comes through one connection.
func (s *Server) Meter(ctx context.Context, conn *pgx.Conn) (*Meter, error) {
	return s.meter(ctx, func(pid int, _ string) bool { return pid == int(conn.PgConn().PID()) })
}

// MeterOf starts to measure the work of an application's connections.
func (s *Server) MeterOf(ctx context.Context, application string) (*Meter, error) {
	return s.meter(ctx, func(_ int, name string) bool { return name == application })
}

func (s *Server) meter(ctx context.Context, isIt func(pid int, application string) bool) (*Meter, error) {
	before, err := s.usage(ctx, isIt)
	return &Meter{server: s, before: before, isIt: isIt}, err
}

// Stop ends the measurement. What it gives makes the figures of so much work, done in some time by calls that took so long
// each.
func (m *Meter) Stop(ctx context.Context) (func(count float64, took, latency time.Duration) Sample, error) {
	after, err := m.server.usage(ctx, m.isIt)
	return func(count float64, took, latency time.Duration) Sample {
		return perTransaction(m.before, after, count, count*float64(latency.Microseconds())/1000, took.Seconds())
	}, err
}

func isPgbench(_ int, application string) bool { return application == "pgbench" }

func perTransaction(before, after usage, count, latency, seconds float64) Sample {
	if count == 0 {
		return Sample{}
	}
	per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / count }
	own := (after.clients - before.clients) + (after.background - before.background) + (after.own - before.own)
	busy, idle := after.busy-before.busy, after.idle-before.idle
	sample := Sample{
		PerSecond: count / seconds, LatencyMS: latency / count,
		CPUMicros:    per(after.clients - before.clients),
		Background:   per(after.background - before.background),
		ClientMicros: per(after.own - before.own),
		WALBytes:     float64(after.wal-before.wal) / count,
	}
	if all := busy + idle; all > 0 {
		sample.Others = max(0, float64(busy-own)/float64(all))
	}
	return sample
}
