package botapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
)

// FaultAction is a way to misbehave.
type FaultAction string

// The ways to misbehave.
const (
	FaultDrop      FaultAction = "drop"      // do the work, then close the connection without an answer
	FaultDelay     FaultAction = "delay"     // wait before the work; with After, before the answer
	FaultError     FaultAction = "error"     // answer Code instead of doing the work; with After, do it and hide the result
	FaultDuplicate FaultAction = "duplicate" // method "update": the next updates are delivered twice
)

// Fault makes the next Count calls of a method misbehave. Faults live in memory only.
type Fault struct {
	ID          int64       `json:"id"`
	Method      string      `json:"method"`            // "*": every one but getUpdates
	ChatID      int64       `json:"chat_id,omitempty"` // 0: every chat
	Action      FaultAction `json:"action"`
	Count       int         `json:"count"`                 // calls left; default 1
	DelayMS     int         `json:"delay_ms,omitempty"`    // with delay
	Code        int         `json:"code,omitempty"`        // with error: default 500, or 429 when RetryAfter is set
	Description string      `json:"description,omitempty"` // with error: default Telegram's text
	RetryAfter  int         `json:"retry_after,omitempty"` // seconds, with error 429
	After       bool        `json:"after,omitempty"`
}

// faults are the rules in force, guarded by Server.mu.
type faults struct {
	rules []*Fault
	last  int64
}

func (f *Fault) check() error {
	f.Method = strings.ToLower(f.Method)
	if f.Method == "" {
		f.Method = "*"
	}
	if f.Count == 0 {
		f.Count = 1
	}
	if f.Code == 0 {
		f.Code = http.StatusInternalServerError
		if f.RetryAfter > 0 {
			f.Code = http.StatusTooManyRequests
		}
	}
	switch {
	case !slices.Contains([]FaultAction{FaultDrop, FaultDelay, FaultError, FaultDuplicate}, f.Action):
		return refuse(400, "action must be drop, delay, error or duplicate")
	case (f.Action == FaultDuplicate) != (f.Method == "update"):
		return refuse(400, `action duplicate goes with method "update" and with no other`)
	case f.Method != "*" && f.Method != "update" && f.Method != "getupdates" && methods[f.Method] == nil:
		return refuse(400, "unknown method %s", f.Method)
	case f.Count < 0 || f.DelayMS < 0 || f.RetryAfter < 0 || f.Code < 400 || f.Code > 599:
		return refuse(400, "count, delay_ms, retry_after or code out of range")
	}
	return nil
}

// AddFault puts a fault in force.
func (s *Server) AddFault(f Fault) (Fault, error) {
	if err := f.check(); err != nil {
		return f, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.last++
	f.ID = s.faults.last
	s.faults.rules = append(s.faults.rules, &f)
	return f, nil
}

// ClearFaults ends all misbehaviour.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.rules = nil
}

// Faults are those in force.
func (s *Server) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Fault, 0, len(s.faults.rules))
	for _, rule := range s.faults.rules {
		all = append(all, *rule)
	}
	return all
}

// takenFault is the fault of one call; nil behaves well.
type takenFault struct{ Fault }

// takeFault uses up one count of the first fault that fits. For "update" mu is held already.
func (s *Server) takeFault(method string, chat int64) *takenFault {
	if method != "update" {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	for i, rule := range s.faults.rules {
		fits := rule.Method == method || rule.Method == "*" && method != "getupdates" && method != "update"
		if !fits || rule.ChatID != 0 && rule.ChatID != chat {
			continue
		}
		rule.Count--
		taken := &takenFault{*rule}
		if rule.Count == 0 {
			s.faults.rules = slices.Delete(s.faults.rules, i, i+1)
		}
		return taken
	}
	return nil
}

func (f *takenFault) duplicates() bool { return f != nil }

// before misbehaves before the work; false means that the call is answered.
func (f *takenFault) before(ctx context.Context, w http.ResponseWriter) bool {
	if f == nil || f.After {
		return true
	}
	switch f.Action {
	case FaultDelay:
		f.sleep(ctx)
	case FaultError:
		writeAnswer(w, nil, "", f.answer())
		return false
	default: // the others misbehave after the work
	}
	return true
}

// after misbehaves before the answer; false means that there is none any more.
func (f *takenFault) after(ctx context.Context, w http.ResponseWriter) bool {
	switch {
	case f == nil:
	case f.Action == FaultDrop:
		panic(http.ErrAbortHandler) // net/http closes the connection
	case f.After && f.Action == FaultDelay:
		f.sleep(ctx)
	case f.After && f.Action == FaultError:
		writeAnswer(w, nil, "", f.answer())
		return false
	}
	return true
}

func (f *takenFault) sleep(ctx context.Context) {
	timer := time.NewTimer(time.Duration(f.DelayMS) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (f *takenFault) answer() *apiError {
	answer := &apiError{Code: f.Code, Description: f.Description, RetryAfter: f.RetryAfter}
	switch {
	case answer.Description != "":
	case f.Code == http.StatusTooManyRequests:
		answer = tooManyRequests(max(f.RetryAfter, 1))
	case f.Code == http.StatusForbidden:
		answer.Description = errBlocked.Description
	default:
		answer.Description = http.StatusText(f.Code)
	}
	return answer
}
