package cryptopay

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// FaultAction is a way to misbehave.
type FaultAction string

// The ways to misbehave. Of a webhook: drop it, send it twice, or send it late. Of a method: close the connection after
// the work, answer Code, or answer late.
const (
	FaultDrop      FaultAction = "drop"
	FaultDuplicate FaultAction = "duplicate"
	FaultDelay     FaultAction = "delay"
	FaultError     FaultAction = "error"
)

// AnyMethod stands for every method of the API; webhooks are apart.
const AnyMethod = "*"

// Fault makes the next Count calls misbehave. Faults live in memory only.
type Fault struct {
	Method  string      `json:"method"` // a method's name, AnyMethod, or "webhook"
	Action  FaultAction `json:"action"`
	Count   int         `json:"count"`              // default 1
	DelayMS int         `json:"delay_ms,omitempty"` // with delay
	Code    int         `json:"code,omitempty"`     // with error; default 500
}

// The control API, for tests and scripts; bodies are JSON:
//
//	PUT  /control/webhook             {"url": "..."}: where webhooks go
//	POST /control/invoices/{id}/pay   {"paid_amount": "1.5"}: pay it; by default exactly
//	POST /control/invoices/{id}/expire
//	POST /control/webhooks            {"invoice_id": 1, "override": {"status": "paid"}, "forged": false}: a webhook that tells
//	                                  whatever is wanted, truly signed unless forged; the invoice stays as it is
//	POST /control/faults              {"method": "webhook", "createInvoice" or "*", "action": "drop" | "duplicate" | "delay" | "error"}
//	DELETE /control/faults
func (s *Server) controlRoutes(mux *http.ServeMux) {
	route := func(pattern string, run func(*http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength != 0 && r.Header.Get("Content-Type") != "application/json" {
				writeAnswer(w, nil, &apiError{Code: http.StatusUnsupportedMediaType, Name: "SEND_JSON"})
				return
			}
			writeAnswer(w, true, run(r))
		})
	}
	route("PUT /control/webhook", s.controlWebhook)
	route("POST /control/invoices/{id}/pay", s.controlPay)
	route("POST /control/invoices/{id}/expire", s.controlExpire)
	route("POST /control/webhooks", s.controlSend)
	route("POST /control/faults", func(r *http.Request) error {
		var f Fault
		if err := decode(r, &f); err != nil {
			return err
		}
		return s.AddFault(f)
	})
	route("DELETE /control/faults", func(*http.Request) error { s.ClearFaults(); return nil })
}

func decode(r *http.Request, target any) error {
	if r.ContentLength == 0 {
		return nil
	}
	if json.NewDecoder(r.Body).Decode(target) != nil {
		return refused("BAD_REQUEST")
	}
	return nil
}

func (s *Server) controlWebhook(r *http.Request) error {
	var body struct {
		URL string `json:"url"`
	}
	if err := decode(r, &body); err != nil {
		return err
	}
	s.SetWebhook(body.URL)
	return nil
}

// find gets the invoice of a path. Called with mu held.
func (s *Server) find(r *http.Request) (*invoice, error) {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if i := s.invoices[id]; i != nil {
		return i, nil
	}
	return nil, &apiError{Code: http.StatusNotFound, Name: "INVOICE_NOT_FOUND"}
}

func (s *Server) controlPay(r *http.Request) error {
	var body struct {
		PaidAmount string `json:"paid_amount"`
	}
	if err := decode(r, &body); err != nil {
		return err
	}
	if body.PaidAmount != "" && !amountPattern.MatchString(body.PaidAmount) {
		return refused("AMOUNT_INVALID")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.find(r)
	if err != nil {
		return err
	}
	return s.pay(i, body.PaidAmount)
}

func (s *Server) controlExpire(r *http.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.find(r)
	if err != nil {
		return err
	}
	if i.Status != statusActive {
		return refused("INVOICE_" + i.Status)
	}
	i.Status = statusExpired
	return s.save(map[string]any{i.key(): i})
}

func (s *Server) controlSend(r *http.Request) error {
	var body struct {
		InvoiceID int64          `json:"invoice_id"`
		Override  map[string]any `json:"override"`
		Forged    bool           `json:"forged"`
	}
	if err := decode(r, &body); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	payload := map[string]any{"invoice_id": body.InvoiceID}
	if i := s.invoices[body.InvoiceID]; i != nil {
		raw, _ := json.Marshal(i)         // plain fields
		_ = json.Unmarshal(raw, &payload) // "
	}
	maps.Copy(payload, body.Override)
	h, err := s.newHook(payload, body.Forged)
	if err != nil {
		return err
	}
	if err := s.save(map[string]any{h.key(): h, "last": s.last}); err != nil {
		return err
	}
	s.hooks[h.ID] = h
	s.deliver(h)
	return nil
}

// AddFault puts a fault in force.
func (s *Server) AddFault(f Fault) error {
	if f.Count == 0 {
		f.Count = 1
	}
	if f.Code == 0 {
		f.Code = http.StatusInternalServerError
	}
	known := []FaultAction{FaultDrop, FaultDelay, FaultError}
	if f.Method == "webhook" {
		known = []FaultAction{FaultDrop, FaultDelay, FaultDuplicate}
	}
	if !slices.Contains(known, f.Action) || f.Count < 0 || f.DelayMS < 0 || f.Code < 400 || f.Code > 599 || f.Method == "" {
		return refused("FAULT_INVALID")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
	return nil
}

// ClearFaults ends all misbehaviour.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Faults are those in force.
func (s *Server) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Fault, 0, len(s.faults))
	for _, f := range s.faults {
		all = append(all, *f)
	}
	return all
}

// takeFaultLocked uses up one count of the first fault that fits; no action means any.
func (s *Server) takeFaultLocked(method string, action FaultAction) *Fault {
	for n, f := range s.faults {
		fits := f.Method == method || f.Method == AnyMethod && method != "webhook"
		if !fits || action != "" && f.Action != action {
			continue
		}
		f.Count--
		taken := *f
		if f.Count == 0 {
			s.faults = slices.Delete(s.faults, n, n+1)
		}
		return &taken
	}
	return nil
}

func (s *Server) takeFault(method string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takeFaultLocked(method, "")
}

func (s *Server) webhookDelay() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.takeFaultLocked("webhook", FaultDelay); f != nil {
		return time.Duration(f.DelayMS) * time.Millisecond
	}
	return 0
}

// before misbehaves before the work; false means that the call is answered.
func (f *Fault) before(ctx context.Context, w http.ResponseWriter) bool {
	switch {
	case f == nil:
	case f.Action == FaultError:
		writeAnswer(w, nil, &apiError{Code: f.Code, Name: "INTERNAL_ERROR"})
		return false
	case f.Action == FaultDelay:
		timer := time.NewTimer(time.Duration(f.DelayMS) * time.Millisecond)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	return true
}

// after is false when the answer is to be lost.
func (f *Fault) after() bool { return f == nil || f.Action != FaultDrop }
