// Package api is the node's HTTP API, for the worker that provisions users:
//
//	POST /add-user            {"uuid", "device_limit"} → {"uuid", "vless_link"}; again: the same answer, the limit is set
//	POST /remove-user/{uuid}  → {"uuid"}; 404 when there is no such user, which is as good
//	PUT  /users               {"users": [{"uuid", "device_limit"}], "revision"} → {"added", "removed", "kept"}; makes the
//	                          list exactly this one. With the revision from /health, 409 if it has changed since
//	GET  /users               → [{"uuid", "device_limit", "devices", "connections", "up_bytes", "down_bytes"}]
//	GET  /health              → {"status", "instance_id", "started_at", "users", "revision"}; needs no key
//	GET  /metrics             Prometheus
//
// A device_limit of 0 or none is no limit. Errors are {"error": text}. The key goes into X-API-Key (or Authorization:
// Bearer, for Prometheus). A user's uuid is the user's key, so it appears in no log.
package api

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"atlas-secure/vpnnode/internal/config"
	"atlas-secure/vpnnode/internal/node"
)

const (
	maxBodyBytes     = 64 << 10
	maxListBodyBytes = 64 << 20 // half a million users
	maxDeviceLimit   = 10_000
)

type api struct {
	node   *node.Node
	logger *slog.Logger
}

// New makes the handler of the API.
func New(n *node.Node, key config.Secret, logger *slog.Logger) http.Handler {
	a := &api{node: n, logger: logger}
	registry := prometheus.NewRegistry()
	registry.MustRegister(&collector{node: n})
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "vpnnode_api_requests_total", Help: "Requests answered, by route and status.",
	}, []string{"route", "status"})
	registry.MustRegister(requests)

	guarded := http.NewServeMux()
	guarded.HandleFunc("POST /add-user", a.addUser)
	guarded.HandleFunc("POST /remove-user/{uuid}", a.removeUser)
	guarded.HandleFunc("PUT /users", a.setUsers)
	guarded.HandleFunc("GET /users", a.listUsers)
	guarded.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))

	public := http.NewServeMux()
	public.HandleFunc("GET /health", a.health)
	public.Handle("/", requireKey(key, guarded))
	return observe(public, guarded, requests, logger)
}

func requireKey(key config.Secret, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get("X-API-Key")
		if given == "" {
			given, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		}
		if !key.Matches(given) {
			refuse(w, http.StatusUnauthorized, "wrong or missing API key")
			return
		}
		next.ServeHTTP(w, r)
	})
}

type userBody struct {
	UUID        string `json:"uuid"`
	DeviceLimit int    `json:"device_limit"`
}

func (a *api) addUser(w http.ResponseWriter, r *http.Request) {
	var body userBody
	if !decode(w, r, maxBodyBytes, &body) {
		return
	}
	user, err := parseUser(body)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	vlessLink, err := a.node.Add(r.Context(), user)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]string{"uuid": user.ID, "vless_link": vlessLink})
}

func (a *api) removeUser(w http.ResponseWriter, r *http.Request) {
	id, err := parseUUID(r.PathValue("uuid"))
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	wasThere, err := a.node.Remove(r.Context(), id)
	switch {
	case err != nil:
		a.fail(w, r, err)
	case !wasThere:
		refuse(w, http.StatusNotFound, "no such user")
	default:
		answer(w, http.StatusOK, map[string]string{"uuid": id})
	}
}

func (a *api) setUsers(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Users    *[]userBody `json:"users"`
		Revision string      `json:"revision"`
	}
	if !decode(w, r, maxListBodyBytes, &body) {
		return
	}
	if body.Users == nil { // a forgotten list must not remove everybody
		refuse(w, http.StatusBadRequest, "users is missing")
		return
	}
	wanted, err := parseUsers(*body.Users)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	changes, err := a.node.Set(r.Context(), wanted, body.Revision)
	switch {
	case errors.Is(err, node.ErrListChanged):
		refuse(w, http.StatusConflict, err.Error())
	case err != nil:
		a.fail(w, r, err)
	default:
		answer(w, http.StatusOK, map[string]int{"added": changes.Added, "removed": changes.Removed, "kept": changes.Kept})
	}
}

func (a *api) listUsers(w http.ResponseWriter, _ *http.Request) {
	type userUsage struct {
		userBody
		Devices     int   `json:"devices"`
		Connections int   `json:"connections"`
		UpBytes     int64 `json:"up_bytes"`
		DownBytes   int64 `json:"down_bytes"`
	}
	list := []userUsage{}
	for _, u := range a.node.Users() {
		list = append(list, userUsage{
			userBody: userBody{UUID: u.ID, DeviceLimit: u.DeviceLimit},
			Devices:  u.Devices, Connections: u.Connections, UpBytes: u.UpBytes, DownBytes: u.DownBytes,
		})
	}
	answer(w, http.StatusOK, list)
}

func (a *api) health(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"status":      "ok",
		"instance_id": a.node.InstanceID(),
		"started_at":  a.node.StartedAt().Format(time.RFC3339Nano),
		"users":       a.node.Len(),
		"revision":    a.node.Revision(),
	})
}

// decode reads one JSON value; when it cannot, it has answered.
func decode(w http.ResponseWriter, r *http.Request, limit int64, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	err := decoder.Decode(into)
	if err == nil {
		if _, trailing := decoder.Token(); !errors.Is(trailing, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return true
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "the request is too large")
	default:
		refuse(w, http.StatusBadRequest, "the request is not the JSON that is expected here")
	}
	return false
}

// fail answers an error of ours; what it is about stays in the log.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	a.logger.ErrorContext(r.Context(), "request failed", "operation", r.Pattern, "error", err,
		"correlation_id", r.Header.Get(correlationHeader))
	refuse(w, http.StatusInternalServerError, "internal error")
}

func refuse(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"error": text})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller has gone: nobody to tell
}
