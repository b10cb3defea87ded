// Package history records what clients asked the database and what they were told, and judges the record: alone, and
// against a snapshot of the database. Every checker is a pure function that gives violations in readable words; none
// means that the record could have come from a shop that does one thing at a time, once.
//
//	h := load.Run(ctx, load.Options{...})
//	history.Require(t, history.Books{Owner: b.Owner, Bot: bots, Worker: workers}, h)
package history

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Op is one operation: a call that its client repeated with the same arguments until the outcome was definite. Times
// count from the beginning of the history, by the monotonic clock.
type Op struct {
	Client   int    `json:"client"`
	User     int64  `json:"user"` // whose money or subscription it is about; 0: of nobody in particular
	Function string `json:"function"`
	Args     Args   `json:"args"`
	Key      string `json:"key"` // the idempotency key, or the id of the subject; empty: a repeat is another call
	// Amount is what the caller expects to move, in kopecks: the price of a purchase, the amount of a withdrawal.
	Amount int64 `json:"amount,omitempty"`

	Start time.Duration `json:"start"` // of the first attempt
	Last  time.Duration `json:"last"`  // of the last attempt
	End   time.Duration `json:"end"`   // of the definite outcome

	Answer  map[string]any `json:"answer,omitempty"` // the row, by column
	Code    string         `json:"code,omitempty"`   // the SQLSTATE of the refusal
	Retried []string       `json:"retried,omitempty"`
	// Unknown counts attempts whose answer was lost: they may have taken effect, at any time since.
	Unknown int `json:"unknown,omitempty"`
	// IsOpen says that the run ended before the outcome was known.
	IsOpen bool `json:"is_open,omitempty"`
}

// IsAcknowledged says that the client was told that it is done.
func (o *Op) IsAcknowledged() bool { return !o.IsOpen && o.Code == "" }

// Attempts is how often the call was made.
func (o *Op) Attempts() int { return 1 + len(o.Retried) }

func (o *Op) number(column string) (int64, bool) {
	value, ok := o.Answer[column].(int)
	return int64(value), ok
}

func (o *Op) text(column string) string {
	value, _ := o.Answer[column].(string)
	return value
}

func (o *Op) argument(name string) string {
	if o.Args[name] == nil {
		return ""
	}
	return fmt.Sprint(o.Args[name])
}

func (o *Op) isReplay() bool {
	value, _ := o.Answer["is_replay"].(bool)
	return value
}

// String says in one line what was asked and what came of it.
func (o *Op) String() string {
	outcome := fmt.Sprint(o.Answer)
	switch {
	case o.IsOpen:
		outcome = "unknown"
	case o.Code != "":
		outcome = o.Code
	}
	return fmt.Sprintf("%s(user %d, key %q) by client %d from %s to %s, %d attempts, %d unknown: %s", o.Function, o.User,
		o.Key, o.Client, o.Start.Round(time.Microsecond), o.End.Round(time.Microsecond), o.Attempts(), o.Unknown, outcome)
}

// History is a record that many clients write to at once.
type History struct {
	// First and Last are the telegram_ids between which all users of the record are, and no others.
	First, Last int64
	Seed        uint64

	mu    sync.Mutex
	ops   []Op
	began time.Time
}

// New begins a record about the users from first to last.
func New(first, last int64, seed uint64) *History {
	return &History{First: first, Last: last, Seed: seed, began: time.Now()}
}

// Now is the time since the record began.
func (h *History) Now() time.Duration { return time.Since(h.began) }

// Add writes operations down.
func (h *History) Add(ops ...Op) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, ops...)
}

// Len counts the operations so far.
func (h *History) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ops)
}

// Ops are the operations in the order of their beginning.
func (h *History) Ops() []Op {
	h.mu.Lock()
	defer h.mu.Unlock()
	sorted := slices.Clone(h.ops)
	slices.SortStableFunc(sorted, func(a, b Op) int { return cmp.Compare(a.Start, b.Start) })
	return sorted
}

// Save writes the operations to a file, one JSON object a line, and gives its path.
func (h *History) Save(folder string) (string, error) {
	path := filepath.Join(folder, fmt.Sprintf("history-%d.jsonl", h.Seed))
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	encoder := json.NewEncoder(file)
	for _, op := range h.Ops() {
		if err := encoder.Encode(op); err != nil {
			return "", err
		}
	}
	return path, file.Close()
}

// Folder is where evidence of failures goes: ATLAS_HISTORY_DIR, else a new temporary folder.
func Folder() (string, error) {
	if folder := os.Getenv("ATLAS_HISTORY_DIR"); folder != "" {
		return folder, os.MkdirAll(folder, 0o755)
	}
	return os.MkdirTemp("", "atlas-history-")
}

// Violation is something that must not be.
type Violation struct {
	Check   string // which checker says so
	Subject string // of whom or what
	Text    string // what is wrong, with the figures
}

// String is the violation in one line.
func (v Violation) String() string { return v.Check + " | " + v.Subject + " | " + v.Text }

func user(id int64) string { return fmt.Sprintf("telegram_id:%d", id) }

// Args are a call's arguments by name.
type Args = map[string]any
