// Package panel is the sandbox's control panel: a JSON API that breaks and mends the parts of the system, moves its clock,
// and shows what the database knows. GET /panel/ describes it (panel.md); the chat page stands on it.
//
// It has no passwords and tells none: it is for this machine only, and Guard refuses everybody else.
package panel

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

//go:embed panel.md
var manual string

// maxBody bounds a request.
const maxBody = 4 << 10

// Machine is what the panel controls. Its methods may be called from any goroutine. A *RefusedError is the caller's mistake.
type Machine interface {
	// Services are the parts that can be broken, always in the same order.
	Services() []Service
	// Order does one of a service's actions, and returns when it is done.
	Order(ctx context.Context, name string, action Action) error
	Clock() Clock
	// Advance moves the clock on, and returns when it has arrived. Only one moves at a time.
	Advance(ctx context.Context, by time.Duration) (Move, error)
	Books(ctx context.Context) (Books, error)
	Ledger(ctx context.Context, limit int) ([]Transfer, error)
	Work(ctx context.Context) (Work, error)
}

// Action is something that can be done to a service.
type Action string

// The actions. Processes and servers: Stop keeps them away until Start, Freeze halts them where they are until Continue,
// after Kill they are started again. Services of others: the ways to misbehave, until Mend.
const (
	Stop     Action = "stop"
	Start    Action = "start"
	Freeze   Action = "freeze"
	Continue Action = "continue"
	Kill     Action = "kill"

	Errors     Action = "errors"     // every call is answered 500
	Silence    Action = "silence"    // calls are not answered in time
	LoseHooks  Action = "lose_hooks" // webhooks do not arrive
	LoseReply  Action = "lose_reply" // calls work, their answers are lost
	Flood      Action = "flood"      // every call is told to come later (429)
	Duplicates Action = "duplicates" // every update is delivered twice
	Mend       Action = "mend"
)

// The states of a service that does not misbehave; otherwise its state is the action that made it so.
const (
	Up       = "up"
	Stopped  = "stopped"
	Frozen   = "frozen"
	Starting = "starting" // it has died, and is started again
)

// Service is a part that can be broken.
type Service struct {
	Name    string    `json:"name"`
	State   string    `json:"state"`
	Detail  string    `json:"detail,omitempty"`
	Since   time.Time `json:"since"`   // by this machine's clock
	Actions []Action  `json:"actions"` // those that make sense now
}

// Clock is what time it is in the sandbox.
type Clock struct {
	Now          time.Time  `json:"now"`
	AheadSeconds int64      `json:"ahead_seconds"` // of this machine
	MovingTo     *time.Time `json:"moving_to"`     // where the clock is being moved; null when it is not
}

// Move is what a move of the clock came to.
type Move struct {
	Clock
	// Stops are the moments at which something was due, and the move waited for it.
	Stops int `json:"stops"`
	// HasJumped says that the rest was one jump, as if nobody had worked meanwhile: Why.
	HasJumped bool   `json:"has_jumped"`
	Why       string `json:"why,omitempty"`
}

// Books say whether the books agree with each other (ops.reconcile).
type Books struct {
	IsBalanced bool           `json:"is_balanced"`
	Rows       []Disagreement `json:"rows"` // at most 100
	TookMS     int64          `json:"took_ms"`
}

// Disagreement is one row of ops.reconcile.
type Disagreement struct {
	Check   string `json:"check"`
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
}

// Transfer is a row of the ledger. Amounts are kopecks; available, held and debt are the user's after it.
type Transfer struct {
	ID        int64     `json:"transfer_id"`
	At        time.Time `json:"at"`
	UserID    int64     `json:"telegram_id"`
	Version   int64     `json:"version"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Reason    string    `json:"reason"`
	Amount    int64     `json:"amount_kopecks"`
	Available int64     `json:"available_kopecks"`
	Held      int64     `json:"held_kopecks"`
	Debt      int64     `json:"debt_kopecks"`
	What      string    `json:"what,omitempty"` // the purchase, or the admin's words
}

// Work is what the database knows of the work: done, waiting, given up.
type Work struct {
	Components  []Component  `json:"components"`
	Queues      []Queue      `json:"queues"`
	Jobs        []Job        `json:"jobs"`
	DeadLetters []DeadLetter `json:"dead_letters"` // the newest 50
}

// Component is a row of ops.component or ops.component_status.
type Component struct {
	Name   string     `json:"name"`
	State  string     `json:"state"`
	Since  *time.Time `json:"since"`
	Detail string     `json:"detail,omitempty"`
}

// Queue is what waits in the outbox under one name.
type Queue struct {
	Kind      string     `json:"kind"`
	Name      string     `json:"name"`
	Due       int64      `json:"due"`
	InHand    int64      `json:"in_hand"`
	Later     int64      `json:"later"`
	Attempt   int64      `json:"attempt"` // the highest
	NextAt    *time.Time `json:"next_at"`
	LastError string     `json:"last_error,omitempty"`
}

// Job is a row of ops.job.
type Job struct {
	Name           string     `json:"name"`
	Schedule       string     `json:"schedule"`
	IsEnabled      bool       `json:"is_enabled"`
	LastFinishedAt *time.Time `json:"last_finished_at"`
	LastItems      *int64     `json:"last_items"`
	Failures       int64      `json:"consecutive_failures"`
	LastError      string     `json:"last_error,omitempty"`
}

// DeadLetter is a row of ops.dead_letter.
type DeadLetter struct {
	Job     string    `json:"job"`
	Subject string    `json:"subject"`
	Error   string    `json:"error"`
	At      time.Time `json:"at"`
}

// RefusedError is a mistake of the caller's, with the HTTP status that says so.
type RefusedError struct {
	Status int
	Text   string
}

func (r *RefusedError) Error() string { return r.Text }

// Refuse makes a refusal.
func Refuse(status int, format string, args ...any) error {
	return &RefusedError{Status: status, Text: fmt.Sprintf(format, args...)}
}

// ErrAway means that something that is needed for an answer is not there now, the database for one.
var ErrAway = errors.New("the database does not answer")

// Handler serves the API under /panel/.
func Handler(m Machine) http.Handler {
	mux := http.NewServeMux()
	route := func(pattern string, run func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { serve(w, r, run) })
	}
	mux.HandleFunc("GET /panel/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, manual) // the other side has gone
	})
	route("GET /panel/services", func(*http.Request) (any, error) { return m.Services(), nil })
	route("POST /panel/services/{name}", func(r *http.Request) (any, error) { return order(m, r) })
	route("GET /panel/clock", func(*http.Request) (any, error) { return m.Clock(), nil })
	route("POST /panel/clock", func(r *http.Request) (any, error) { return advance(m, r) })
	route("GET /panel/books", func(r *http.Request) (any, error) { return m.Books(r.Context()) })
	route("GET /panel/ledger", func(r *http.Request) (any, error) { return ledger(m, r) })
	route("GET /panel/work", func(r *http.Request) (any, error) { return m.Work(r.Context()) })
	return mux
}

func serve(w http.ResponseWriter, r *http.Request, run func(*http.Request) (any, error)) {
	if r.Method != http.MethodGet {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			write(w, http.StatusUnsupportedMediaType, failure("send application/json"))
			return
		}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	answer, err := run(r)
	var refused *RefusedError
	switch {
	case err == nil:
		write(w, http.StatusOK, answer)
	case errors.As(err, &refused):
		write(w, refused.Status, failure(refused.Text))
	case errors.Is(err, ErrAway):
		write(w, http.StatusServiceUnavailable, failure(ErrAway.Error()))
	default:
		write(w, http.StatusInternalServerError, failure(err.Error()))
	}
}

func failure(text string) map[string]string { return map[string]string{"error": text} }

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // the other side has gone
}

func decode(r *http.Request, target any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return Refuse(http.StatusBadRequest, "body: %s", err)
	}
	return nil
}

func order(m Machine, r *http.Request) (any, error) {
	var body struct {
		Action Action `json:"action"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	if err := m.Order(r.Context(), r.PathValue("name"), body.Action); err != nil {
		return nil, err //nolint:wrapcheck // says all by itself
	}
	return m.Services(), nil
}

// MaxAdvance is how far one move goes.
const MaxAdvance = 400 * 24 * time.Hour

func advance(m Machine, r *http.Request) (any, error) {
	var body struct {
		Seconds int64 `json:"advance_seconds"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	if body.Seconds < 1 || body.Seconds > int64(MaxAdvance/time.Second) {
		return nil, Refuse(http.StatusBadRequest, "advance_seconds: 1 to %d; time does not go back (make run/fresh starts over)",
			int64(MaxAdvance/time.Second))
	}
	return m.Advance(r.Context(), time.Duration(body.Seconds)*time.Second)
}

// The newest rows of the ledger that are shown.
const (
	fewTransfers = 50
	maxTransfers = 500
)

func ledger(m Machine, r *http.Request) (any, error) {
	limit := fewTransfers
	if text := r.URL.Query().Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxTransfers {
			return nil, Refuse(http.StatusBadRequest, "limit: 1 to %d", maxTransfers)
		}
	}
	return m.Ledger(r.Context(), limit)
}
