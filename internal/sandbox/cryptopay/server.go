// Package cryptopay is a fake Crypto Pay for the sandbox: the methods of API 1.5 that concern invoices, a page on which
// an invoice is paid with one button, and webhooks signed as the real one signs them.
//
//	POST /api/<method>      createInvoice, getInvoices, deleteInvoice, getMe; header Crypto-Pay-API-Token
//	GET  /pay/<hash>        the page of an invoice; POST pays it
//	GET  /                  the invoices, newest first
//	POST /control/...       for tests: see control.go
//
// Invoices are in roubles (currency_type fiat) or in crypto; nothing is converted but what the paid fields show. They are
// kept in Options.StateDir, and so are the webhooks that were not yet delivered; each is written before it is answered.
package cryptopay

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/pkg/errors"

	"atlas-secure/internal/sandbox/journal"
)

// Defaults of Options. The real one waits longer between its 17 tries (three days in all).
const (
	defaultRetry    = time.Second
	maxRetry        = 30 * time.Second
	maxTries        = 17
	deliveryTimeout = 10 * time.Second
	maxBody         = 1 << 20
)

// Options of a Server.
type Options struct {
	StateDir   string       // empty: nothing is kept over a restart
	Token      string       // the application's token; required
	Name       string       // of the application; default Atlas Secure
	BaseURL    string       // begins the addresses of invoices; default: the host that createInvoice was sent to
	WebhookURL string       // empty: no webhooks
	Logger     *slog.Logger // default: none
	Now        func() time.Time
	Retry      time.Duration // wait after the first failed webhook; it doubles
}

// Server is an http.Handler.
type Server struct {
	opts    Options
	log     *slog.Logger
	mux     *http.ServeMux
	journal *journal.Journal
	client  *http.Client
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	tasks   sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	invoices map[int64]*invoice
	hooks    map[int64]*hook // not yet delivered
	last     counters
	faults   []*Fault
	webhook  string
}

// counters give out numbers that are not used again.
type counters struct {
	Invoice int64 `json:"invoice"`
	Hook    int64 `json:"hook"`
}

// New opens the state and goes on delivering webhooks.
func New(opts Options) (*Server, error) {
	if opts.Token == "" {
		return nil, errors.New("fake crypto pay: no token")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Name == "" {
		opts.Name = "Atlas Secure"
	}
	if opts.Retry <= 0 {
		opts.Retry = defaultRetry
	}
	s := &Server{ //nolint:forcetypeassert // the transport is what net/http documents
		opts: opts, log: opts.Logger.With("component", "fake_cryptopay"), webhook: opts.WebhookURL,
		invoices: map[int64]*invoice{}, hooks: map[int64]*hook{},
		client: &http.Client{Timeout: deliveryTimeout, Transport: http.DefaultTransport.(*http.Transport).Clone()},
	}
	path := ""
	if opts.StateDir != "" {
		path = filepath.Join(opts.StateDir, "cryptopay.jsonl")
	}
	opened, records, err := journal.Open(path)
	if err != nil {
		return nil, err
	}
	s.journal = opened
	if err := s.load(records); err != nil {
		_ = opened.Close()
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.mux = s.routes()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.hooks {
		s.deliver(h)
	}
	return s, nil
}

func (s *Server) load(records map[string]json.RawMessage) error {
	// Numbers go on growing when the state is lost: the bot's database may know the old ones.
	s.last = counters{Invoice: max(s.opts.Now().Unix()-1_700_000_000, 0) * 10, Hook: 1}
	for key, value := range records {
		var err error
		switch kind, _, _ := strings.Cut(key, "/"); kind {
		case "invoice":
			var i invoice
			err = json.Unmarshal(value, &i)
			s.invoices[i.ID] = &i
		case "hook":
			var h hook
			err = json.Unmarshal(value, &h)
			s.hooks[h.ID] = &h
		case "last":
			err = json.Unmarshal(value, &s.last)
		default:
			err = errors.New("unknown kind of record")
		}
		if err != nil {
			return errors.Wrapf(err, "read record %s", key)
		}
	}
	return nil
}

// Close stops the webhooks and closes the state.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.tasks.Wait()
	s.client.CloseIdleConnections()
	return s.journal.Close()
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	s.mux.ServeHTTP(w, r)
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serveAPI)
	mux.HandleFunc("GET /pay/{hash}", s.showInvoice)
	mux.HandleFunc("POST /pay/{hash}", s.payInvoice)
	mux.HandleFunc("GET /{$}", s.showInvoices)
	mux.HandleFunc("GET /style.css", serveStyle)
	s.controlRoutes(mux)
	return mux
}

// SetWebhook changes where webhooks go; those that wait go there too.
func (s *Server) SetWebhook(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhook = address
}

// list gives all invoices, newest first. Called with mu held.
func (s *Server) list() []*invoice {
	all := make([]*invoice, 0, len(s.invoices))
	for _, i := range s.invoices {
		all = append(all, i)
	}
	sort.Slice(all, func(a, b int) bool { return all[a].ID > all[b].ID })
	return all
}

// save writes values under their keys; nil deletes.
func (s *Server) save(values map[string]any) error {
	var records []journal.Record
	for key, value := range values {
		if value == nil {
			records = append(records, journal.Delete(key))
			continue
		}
		record, err := journal.Put(key, value)
		if err != nil {
			return err
		}
		records = append(records, record)
	}
	return s.journal.Append(records...)
}
