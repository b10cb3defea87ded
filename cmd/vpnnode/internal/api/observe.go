package api

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"atlas-secure/vpnnode/internal/node"
)

const correlationHeader = "X-Correlation-ID"

// observe counts every request and logs those that change something or are refused.
func observe(public, guarded *http.ServeMux, requests *prometheus.CounterVec, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		_, route := public.Handler(r)
		if route == "/" {
			_, route = guarded.Handler(r)
		}
		if route == "" {
			route = "unknown"
		}
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		public.ServeHTTP(recorder, r)
		requests.WithLabelValues(route, strconv.Itoa(recorder.status)).Inc()

		level := slog.LevelInfo
		if r.Method == http.MethodGet && recorder.status < http.StatusBadRequest {
			level = slog.LevelDebug
		}
		logger.Log(r.Context(), level, "api request", "operation", route, "outcome", recorder.status,
			"duration", time.Since(started), "correlation_id", r.Header.Get(correlationHeader))
	})
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap serves http.ResponseController.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

var (
	usersDesc       = prometheus.NewDesc("vpnnode_users", "Users on the list.", nil, nil)
	connectionsDesc = prometheus.NewDesc("vpnnode_connections", "Open connections of users.", nil, nil)
	trafficDesc     = prometheus.NewDesc("vpnnode_traffic_bytes_total",
		"Bytes carried since the start, as customers see the direction.", []string{"direction"}, nil)
	refusedDesc = prometheus.NewDesc("vpnnode_refused_connections_total",
		"Authenticated connections turned away.", []string{"reason"}, nil)
)

// collector asks the node when Prometheus asks us.
type collector struct{ node *node.Node }

// Describe implements prometheus.Collector.
func (c *collector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{usersDesc, connectionsDesc, trafficDesc, refusedDesc} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	send := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, kind, value, labels...)
	}
	connections := 0
	users := c.node.Users()
	for _, user := range users {
		connections += user.Connections
	}
	total, refused := c.node.Total(), c.node.Refusals()
	send(usersDesc, prometheus.GaugeValue, float64(len(users)))
	send(connectionsDesc, prometheus.GaugeValue, float64(connections))
	send(trafficDesc, prometheus.CounterValue, float64(total.UpBytes), "up")
	send(trafficDesc, prometheus.CounterValue, float64(total.DownBytes), "down")
	send(refusedDesc, prometheus.CounterValue, float64(refused.UnknownUser), "unknown_user")
	send(refusedDesc, prometheus.CounterValue, float64(refused.TooManyDevices), "too_many_devices")
}
