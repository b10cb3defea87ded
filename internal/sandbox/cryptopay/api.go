package cryptopay

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// apiError is {"ok": false, "error": {"code", "name"}}.
type apiError struct {
	Code int    `json:"code"`
	Name string `json:"name"`
}

func (e *apiError) Error() string { return e.Name }

func refused(name string) *apiError { return &apiError{Code: http.StatusBadRequest, Name: name} }

// arguments of a method: JSON values, or strings of a form or query.
type arguments map[string]string

func (a arguments) text(name string) string { return a[name] }

func (a arguments) has(name string) bool { return a[name] != "" }

func (a arguments) flag(name string, preset bool) bool {
	value, err := strconv.ParseBool(a[name])
	if err != nil {
		return preset
	}
	return value
}

func (a arguments) number(name string, preset int64) (int64, bool) {
	if a[name] == "" {
		return preset, true
	}
	value, err := strconv.ParseInt(a[name], 10, 64)
	return value, err == nil
}

func readArguments(r *http.Request) (arguments, error) {
	args := arguments{}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // none: the query only
	if kind != "application/json" {
		err := r.ParseForm()
		for key, values := range r.Form {
			args[key] = values[0]
		}
		return args, err
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if len(raw) == 0 {
		return args, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	for key, value := range fields {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		if text != "null" {
			args[key] = text
		}
	}
	return args, nil
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	method := r.PathValue("method")
	token := r.Header.Get("Crypto-Pay-API-Token")
	if subtle.ConstantTimeCompare([]byte(token), []byte(s.opts.Token)) != 1 {
		writeAnswer(w, nil, &apiError{Code: http.StatusUnauthorized, Name: "UNAUTHORIZED"})
		return
	}
	args, err := readArguments(r)
	if err != nil {
		writeAnswer(w, nil, refused("BAD_REQUEST"))
		return
	}
	fault := s.takeFault(method)
	if !fault.before(r.Context(), w) {
		return
	}
	result, err := s.perform(r, method, args)
	if !fault.after() {
		panic(http.ErrAbortHandler) // net/http closes the connection
	}
	writeAnswer(w, result, err)
}

func (s *Server) perform(r *http.Request, method string, args arguments) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch method {
	case "getMe":
		id, _, _ := strings.Cut(s.opts.Token, ":")
		number, _ := strconv.ParseInt(id, 10, 64) // the sandbox's tokens begin with a number
		return map[string]any{"app_id": number, "name": s.opts.Name, "payment_processing_bot_username": "CryptoBot"}, nil
	case "createInvoice":
		return s.createInvoice(r, args)
	case "getInvoices":
		return s.getInvoices(args)
	case "deleteInvoice":
		return s.deleteInvoice(args)
	}
	return nil, &apiError{Code: http.StatusMethodNotAllowed, Name: "METHOD_NOT_FOUND"}
}

func (s *Server) createInvoice(r *http.Request, args arguments) (any, error) {
	i, refusal := newInvoice(args, s.opts.Now())
	if refusal != nil {
		return nil, refusal
	}
	base := strings.TrimRight(s.opts.BaseURL, "/")
	if base == "" {
		base = "http://" + r.Host
	}
	last := s.last
	last.Invoice++
	i.ID = last.Invoice
	i.PayURL = base + "/pay/" + i.Hash
	i.BotURL, i.MiniAppURL, i.WebAppURL = i.PayURL, i.PayURL, i.PayURL
	if err := s.save(map[string]any{"last": last, i.key(): i}); err != nil {
		return nil, err
	}
	s.last, s.invoices[i.ID] = last, i
	return *i, nil
}

func (s *Server) getInvoices(args arguments) (any, error) {
	status := args.text("status")
	offset, ok := args.number("offset", 0)
	count, isCount := args.number("count", 100)
	switch {
	case status != "" && !slices.Contains([]string{statusActive, statusPaid, statusExpired}, status):
		return nil, refused("STATUS_INVALID")
	case !ok || offset < 0:
		return nil, refused("OFFSET_INVALID")
	case !isCount || count < 1 || count > 1000:
		return nil, refused("COUNT_INVALID")
	}
	var ids []string
	if args.has("invoice_ids") {
		ids = strings.Split(args.text("invoice_ids"), ",")
	}
	found := []invoice{}
	for _, i := range s.list() {
		if err := s.expire(i); err != nil {
			return nil, err
		}
		fits := (status == "" || i.Status == status) &&
			(ids == nil || slices.Contains(ids, strconv.FormatInt(i.ID, 10))) &&
			(!args.has("asset") || i.Asset == args.text("asset")) && (!args.has("fiat") || i.Fiat == args.text("fiat"))
		if !fits {
			continue
		}
		if offset > 0 {
			offset--
			continue
		}
		if int64(len(found)) < count {
			found = append(found, *i)
		}
	}
	return map[string]any{"items": found}, nil
}

func (s *Server) expire(i *invoice) error {
	if i.expire(s.opts.Now()) {
		return s.save(map[string]any{i.key(): i})
	}
	return nil
}

func (s *Server) deleteInvoice(args arguments) (any, error) {
	id, _ := args.number("invoice_id", 0)
	i := s.invoices[id]
	if i == nil || i.Status == statusPaid {
		return nil, refused("INVOICE_NOT_FOUND")
	}
	if err := s.save(map[string]any{i.key(): nil}); err != nil {
		return nil, err
	}
	delete(s.invoices, id)
	return true, nil
}

func writeAnswer(w http.ResponseWriter, result any, err error) {
	status := http.StatusOK
	answer := map[string]any{"ok": err == nil}
	var refusal *apiError
	switch {
	case err == nil:
		answer["result"] = result
	case errors.As(err, &refusal):
		status, answer["error"] = refusal.Code, refusal
	default:
		status, answer["error"] = http.StatusInternalServerError, &apiError{Code: 500, Name: "INTERNAL_ERROR"}
	}
	writeJSON(w, status, answer)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the other side has gone
}
