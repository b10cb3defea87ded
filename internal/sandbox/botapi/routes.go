package botapi

import (
	_ "embed"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pkg/errors"
	"golang.org/x/time/rate"
)

//go:embed api.md
var manual string

// maxPersonBody bounds a request of the persons' API.
const maxPersonBody = 1 << 20

// personRoutes are the persons' API; api.md describes it.
func (s *Server) personRoutes() http.Handler {
	mux := http.NewServeMux()
	route := func(pattern string, run func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { servePerson(w, r, run) })
	}
	mux.HandleFunc("GET /api/{$}", s.serveManual)
	mux.HandleFunc("GET /api/events", s.serveEvents)
	mux.HandleFunc("GET /api/files/{file}", s.servePersonFile)
	route("GET /api/bots", s.listBots)
	route("GET /api/people", s.listPeople)
	route("POST /api/people", s.postPerson)
	route("GET /api/people/{person}/chat", s.readChat)
	route("POST /api/people/{person}/messages", s.postMessage)
	route("POST /api/people/{person}/messages/{message}/edit", s.postEdit)
	route("POST /api/people/{person}/press", s.postPress)
	route("GET /api/people/{person}/callbacks/{callback}", s.readCallback)
	route("GET /api/people/{person}/invoices/{slug}", s.readInvoice)
	route("POST /api/people/{person}/pay", s.postPay)
	route("POST /api/people/{person}/block", s.postBlock)
	route("POST /api/people/{person}/unblock", s.postUnblock)
	route("POST /api/people/{person}/updates", s.postUpdate)
	route("GET /api/faults", s.listFaults)
	route("POST /api/faults", s.postFault)
	route("DELETE /api/faults", func(*http.Request) (any, error) { s.ClearFaults(); return struct{}{}, nil })
	route("PUT /api/limits", s.putLimits)
	return mux
}

// servePerson wants JSON bodies, so that no other site's page can send one from somebody's browser.
func servePerson(w http.ResponseWriter, r *http.Request, run func(*http.Request) (any, error)) {
	if r.Method != http.MethodGet && r.ContentLength != 0 {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			writeJSON(w, http.StatusUnsupportedMediaType, map[string]string{"error": "send application/json"})
			return
		}
	}
	if site := r.Header.Get("Sec-Fetch-Site"); r.Method != http.MethodGet && site == "cross-site" {
		writeJSON(w, http.StatusForbidden, map[string]string{"error": "not from another site"})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxPersonBody)
	result, err := run(r)
	var refused *personError
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, result)
	case errors.As(err, &refused):
		writeJSON(w, refused.Status, map[string]string{"error": refused.Text})
	default:
		writeJSON(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
	}
}

// decode reads a JSON body; no body is an empty object.
func decode(r *http.Request, target any) error {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return refuse(http.StatusRequestEntityTooLarge, "body is too large")
	}
	if len(raw) == 0 {
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return refuse(http.StatusBadRequest, "body: %s", err)
	}
	return nil
}

// actors finds the person and the bot of a request. Called with mu held.
func (s *Server) actors(r *http.Request) (*Person, *bot, error) {
	id, err := strconv.ParseInt(r.PathValue("person"), 10, 64)
	person := s.state.people[id]
	if err != nil || person == nil {
		return nil, nil, refuse(http.StatusNotFound, "no person %s", r.PathValue("person"))
	}
	name := strings.TrimPrefix(r.URL.Query().Get("bot"), "@")
	for _, b := range s.state.botOrder {
		if name == "" || name == b.Key || strings.EqualFold(name, b.User.Username) || name == strconv.FormatInt(b.User.ID, 10) {
			return person, b, nil
		}
	}
	if name == "" {
		return nil, nil, refuse(http.StatusNotFound, "no bot has called yet")
	}
	return nil, nil, refuse(http.StatusNotFound, "no bot %s", name)
}

// queryNumber reads a number of the query string, clamped into [0, high].
func queryNumber(r *http.Request, name string, preset, high int64) int64 {
	value, err := strconv.ParseInt(r.URL.Query().Get(name), 10, 64)
	if err != nil {
		value = preset
	}
	return min(max(value, 0), high)
}

func waitOf(r *http.Request) time.Duration {
	return time.Duration(queryNumber(r, "wait", 0, int64(maxWait/time.Second))) * time.Second
}

func (s *Server) serveManual(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, manual)
	for name, address := range s.opts.Links {
		_, _ = io.WriteString(w, "\n"+name+": "+address+"\n")
	}
}

func (s *Server) listBots(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	type line struct {
		User
		Key     string `json:"key"`
		Pending int    `json:"pending_updates"`
		Webhook string `json:"webhook,omitempty"`
	}
	bots := []line{}
	for _, b := range s.state.botOrder {
		bots = append(bots, line{User: b.User, Key: b.Key, Pending: len(b.updates), Webhook: b.Hook.URL})
	}
	return bots, nil
}

func (s *Server) listPeople(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	people := []Person{}
	for _, id := range s.state.order {
		people = append(people, *s.state.people[id])
	}
	return people, nil
}

func (s *Server) postPerson(r *http.Request) (any, error) {
	var p Person
	if err := decode(r, &p); err != nil {
		return nil, err
	}
	return s.EnsurePerson(p)
}

func (s *Server) listFaults(*http.Request) (any, error) {
	return s.Faults(), nil
}

func (s *Server) postFault(r *http.Request) (any, error) {
	var f Fault
	if err := decode(r, &f); err != nil {
		return nil, err
	}
	return s.AddFault(f)
}

// putLimits sets how many messages a second a bot may send before it gets 429; 0 is no limit.
func (s *Server) putLimits(r *http.Request) (any, error) {
	var limits struct {
		PerSecond float64 `json:"messages_per_second"`
	}
	if err := decode(r, &limits); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limiter = nil
	if limits.PerSecond > 0 {
		s.limiter = rate.NewLimiter(rate.Limit(limits.PerSecond), max(int(limits.PerSecond), 1))
	}
	return limits, nil
}

func (s *Server) servePersonFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f := s.state.files[r.PathValue("file")]
	s.mu.Unlock()
	if f == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
	w.Header().Set("Cache-Control", "private, max-age=86400")
	s.writeFile(w, r, f)
}
