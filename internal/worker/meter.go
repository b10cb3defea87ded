package worker

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Meter counts runs, what they worked off, and how long they took.
type Meter struct {
	seconds *prometheus.HistogramVec
	items   *prometheus.CounterVec
}

// NewMeter registers the worker's metrics.
func NewMeter(registerer prometheus.Registerer) (*Meter, error) {
	m := &Meter{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "atlas_job_seconds",
			Help:    "Time of a job's run, by job and outcome.",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 15, 60, 300},
		}, []string{"job", "outcome"}),
		items: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "atlas_job_items_total",
			Help: "Rows that a job has worked off.",
		}, []string{"job"}),
	}
	for _, collector := range []prometheus.Collector{m.seconds, m.items} {
		if err := registerer.Register(collector); err != nil {
			return nil, fmt.Errorf("worker metrics: %w", err)
		}
	}
	return m, nil
}

func (m *Meter) observe(job string, took time.Duration, items int, err error) {
	outcome := "ok"
	if err != nil {
		outcome = "failed"
	}
	m.seconds.WithLabelValues(job, outcome).Observe(took.Seconds())
	m.items.WithLabelValues(job).Add(float64(items))
}
