package bot

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"atlas-secure/internal/telegram"
)

// metrics counts what comes in, how it is handled and what goes out.
type metrics struct {
	taken   *prometheus.CounterVec
	worked  *prometheus.HistogramVec
	screens *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		taken: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "atlas_bot_updates_received_total", Help: "Updates taken in: new, or known already.",
		}, []string{"novelty"}),
		worked: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "atlas_bot_update_seconds", Help: "Time to handle an update, by route and outcome.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25},
		}, []string{"operation", "outcome"}),
		screens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "atlas_bot_screens_total", Help: "Screens shown to people, by how that ended.",
		}, []string{"outcome"}),
	}
	if registerer == nil {
		return m, nil
	}
	for _, collector := range []prometheus.Collector{m.taken, m.worked, m.screens} {
		if err := registerer.Register(collector); err != nil {
			return nil, fmt.Errorf("metrics of the bot: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) received(fresh, known int) {
	m.taken.WithLabelValues("new").Add(float64(fresh))
	m.taken.WithLabelValues("known").Add(float64(known))
}

func (m *metrics) handled(operation, outcome string, took time.Duration) {
	m.worked.WithLabelValues(operation, outcome).Observe(took.Seconds())
}

func (m *metrics) sent(class telegram.Class) { m.screens.WithLabelValues(class.String()).Inc() }
