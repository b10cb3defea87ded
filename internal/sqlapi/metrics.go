package sqlapi

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"atlas-secure/internal/atlas"
)

// metrics counts calls by function and by how they ended ("ok", a SQLSTATE, "unavailable" or "error").
type metrics struct {
	seconds *prometheus.HistogramVec
	retries *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer, pool *pgxpool.Pool) (*metrics, error) {
	m := &metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "atlas_sql_call_seconds",
			Help:    "Time of a SQL function's call, retries included, by function and outcome.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"function", "outcome"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "atlas_sql_retries_total",
			Help: "Attempts repeated after a deadlock, a lock timeout, a serialization failure or a broken connection.",
		}, []string{"function"}),
	}
	if registerer == nil {
		return m, nil
	}
	gauge := func(name, help string, read func(*pgxpool.Stat) int32) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return float64(read(pool.Stat())) })
	}
	for _, collector := range []prometheus.Collector{
		m.seconds, m.retries,
		gauge("atlas_sql_connections_acquired", "Connections in use.", (*pgxpool.Stat).AcquiredConns),
		gauge("atlas_sql_connections", "Connections open.", (*pgxpool.Stat).TotalConns),
		gauge("atlas_sql_connections_max", "Connections allowed.", (*pgxpool.Stat).MaxConns),
	} {
		if err := registerer.Register(collector); err != nil {
			return nil, fmt.Errorf("database metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) observe(function string, took time.Duration, err error) {
	m.seconds.WithLabelValues(function, outcomeLabel(err)).Observe(took.Seconds())
}

func (m *metrics) retried(function string) { m.retries.WithLabelValues(function).Inc() }

func outcomeLabel(err error) string {
	var refusal *atlas.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &refusal):
		return refusal.Code
	case errors.Is(err, atlas.ErrUnavailable):
		return "unavailable"
	default:
		return "error"
	}
}

// isConnectionError says whether the connection broke, so that it is not known what became of the call.
func isConnectionError(err error) bool {
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
