package botapi

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/pkg/errors"
	"golang.org/x/time/rate"

	"atlas-secure/internal/sandbox/journal"
)

// Defaults of Options.
const (
	defaultCallbackTimeout    = 30 * time.Second
	defaultPreCheckoutTimeout = 10 * time.Second
	defaultWebhookTimeout     = 30 * time.Second
	defaultWebhookRetry       = time.Second
)

// Bot is a bot that is known before its first request.
type Bot struct {
	Token     string
	Username  string // default: sandbox<id>_bot
	FirstName string // default: Sandbox bot
}

// Options of a Server. The zero value works and keeps its state in memory only.
type Options struct {
	StateDir           string            // empty: nothing is kept over a restart
	Logger             *slog.Logger      // default: none
	Bots               []Bot             // the first one is the default of the persons' API
	Fallback           http.Handler      // answers what is none of ours, such as the chat page
	Links              map[string]string // further addresses that GET /api/ names
	Now                func() time.Time
	CallbackTimeout    time.Duration // how long a pressed button may be answered
	PreCheckoutTimeout time.Duration // how long a payment waits for the bot's word
	WebhookTimeout     time.Duration // for one delivery
	WebhookRetry       time.Duration // wait after the first failed delivery; it doubles
}

// Server is the emulator. It is an http.Handler for /bot<token>/<method>, /file/bot<token>/<path> and /api/.
type Server struct {
	opts    Options
	log     *slog.Logger
	people  http.Handler
	journal *journal.Journal
	files   string // folder of the uploaded files; empty: in memory

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu      sync.Mutex
	state   *state
	faults  faults
	limiter *rate.Limiter // nil: no limit
	closed  bool
}

// New opens the state and starts the webhooks that were set.
func New(opts Options) (*Server, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	preset(&opts.CallbackTimeout, defaultCallbackTimeout)
	preset(&opts.PreCheckoutTimeout, defaultPreCheckoutTimeout)
	preset(&opts.WebhookTimeout, defaultWebhookTimeout)
	preset(&opts.WebhookRetry, defaultWebhookRetry)

	s := &Server{opts: opts, log: opts.Logger.With("component", "botapi")}
	path := ""
	if opts.StateDir != "" {
		path = filepath.Join(opts.StateDir, "chats.jsonl")
		s.files = filepath.Join(opts.StateDir, "files")
	}
	opened, records, err := journal.Open(path)
	if err != nil {
		return nil, err
	}
	s.journal = opened
	if s.state, err = loadState(records); err != nil {
		_ = opened.Close()
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.people = s.personRoutes()
	if err := s.addBots(opts.Bots); err != nil {
		return nil, errors.Wrap(err, "add bots")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.state.bots {
		s.startWebhook(b)
	}
	return s, nil
}

func preset(value *time.Duration, to time.Duration) {
	if *value <= 0 {
		*value = to
	}
}

// Close ends long polls, streams and webhooks, waits for them, and closes the state.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.tasks.Wait()
	return s.journal.Close()
}

var (
	tokenPattern = regexp.MustCompile(`^\d{1,16}:[\w-]{35}$`)
	methodPath   = regexp.MustCompile(`^/bot([^/]+)/(?:test/)?([A-Za-z]+)/?$`)
	filePath     = regexp.MustCompile(`^/file/bot([^/]+)/(.+)$`)
)

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/bot"):
		match := methodPath.FindStringSubmatch(path)
		if match == nil {
			writeAnswer(w, nil, "", errNotFound)
			return
		}
		s.serveMethod(w, r, match[1], match[2])
	case strings.HasPrefix(path, "/file/bot"):
		match := filePath.FindStringSubmatch(path)
		if match == nil {
			writeAnswer(w, nil, "", errNotFound)
			return
		}
		s.serveFile(w, r, match[1], match[2])
	case strings.HasPrefix(path, "/api/"):
		s.people.ServeHTTP(w, r)
	case s.opts.Fallback != nil:
		s.opts.Fallback.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

// now is the emulator's clock in Telegram's unit.
func (s *Server) now() int64 { return s.opts.Now().Unix() }
