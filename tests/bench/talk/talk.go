// Package talk lets people talk with the bot, wired as in production, through the emulator of the Bot API, and measures
// how long an answer takes: from the moment Telegram has the person's message until it has the bot's answer.
package talk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"atlas-secure/internal/bot"
	"atlas-secure/internal/config"
	"atlas-secure/internal/dialogue"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/redisdb"
	"atlas-secure/internal/requisites"
	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/telegram"
)

// Application is the name of the bot's database sessions.
const Application = "atlas-bot"

const (
	token = "700200:" + "ccccccccccccccccccccccccccccccccccc"
	// patience is how long somebody waits for an answer.
	patience = time.Minute
)

// Talk is a bot and the Telegram that it talks with.
type Talk struct {
	api    *botapi.Server
	server *httptest.Server
	end    func() error

	mu      sync.Mutex
	waiting map[int64]chan time.Time // who waits for an answer
}

// Start wires a bot like cmd/bot and lets it poll. Limits are Telegram's own, or without limits as fast as it can.
func Start(ctx context.Context, database, redis string, hasLimits bool) (*Talk, error) {
	t := &Talk{waiting: map[int64]chan time.Time{}}
	var err error
	if t.api, err = botapi.New(botapi.Options{Bots: []botapi.Bot{{Token: token}}}); err != nil {
		return nil, err
	}
	t.server = httptest.NewServer(t)
	if t.end, err = t.startBot(ctx, database, redis, hasLimits); err != nil {
		return nil, errors.Join(err, t.api.Close())
	}
	return t, nil
}

// Stop ends the bot, then Telegram.
func (t *Talk) Stop() error {
	err := t.end()
	err = errors.Join(err, t.api.Close())
	t.server.CloseClientConnections()
	t.server.Close()
	return err
}

func (t *Talk) startBot(ctx context.Context, database, redis string, hasLimits bool) (func() error, error) {
	log := slog.New(slog.NewJSONHandler(io.Discard, nil)) //nolint:sloglint // writing the lines is work as well
	registry := obs.NewRegistry()
	db, err := sqlapi.Open(ctx, sqlapi.Config{
		URL: config.NewSecret(database), PoolSize: 20, StatementTimeout: 15 * time.Second, LockTimeout: 5 * time.Second,
		ApplicationName: Application, Logger: log, Registerer: registry,
	})
	if err != nil {
		return nil, err
	}
	store, err := redisdb.Open(redisdb.Options{URL: config.NewSecret(redis)})
	if err != nil {
		return nil, err
	}
	client, err := telegram.NewClient(token, t.server.URL)
	if err != nil {
		return nil, err
	}
	texts, err := i18n.Load(func(err error) { log.Error("text", obs.Err(err)) })
	if err != nil {
		return nil, err
	}
	key, err := config.RequisitesKey()
	if err != nil {
		return nil, err
	}
	sealer, err := requisites.NewSealer(key)
	if err != nil {
		return nil, err
	}
	const prefix = "atlas:bench:"
	limiter := limit.New(store, prefix)
	limits := telegram.DefaultLimits()
	if !hasLimits {
		free := limit.Rule{Events: 1_000_000, Per: time.Second, Burst: 1_000_000}
		limits = telegram.Limits{All: free, Chat: free, Bulk: free}
	}
	b, err := bot.New(bot.Parts{
		DB: db, Client: client, Texts: texts, Limiter: limiter,
		Sender:    telegram.NewSender(client, limiter, log, telegram.WithLimits(limits)),
		Dialogues: dialogue.New(store, prefix, dialogue.DefaultTTL), Requisites: sealer, Holder: "bench", Log: log, Registerer: registry,
	})
	if err != nil {
		return nil, err
	}
	if err := db.Await(ctx); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- b.Run(running, b.Poll) }()
	return func() error {
		stop()
		err := <-ended
		client.CloseIdle()
		db.Close()
		return errors.Join(err, store.Close())
	}, nil
}

// ServeHTTP is Telegram; it notes when an answer to a person comes in.
func (t *Talk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/sendMessage") {
		t.api.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var message struct {
		ChatID int64 `json:"chat_id"`
	}
	if err := json.Unmarshal(body, &message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	t.api.ServeHTTP(w, r)
	t.mu.Lock()
	defer t.mu.Unlock()
	if answered := t.waiting[message.ChatID]; answered != nil {
		delete(t.waiting, message.ChatID)
		answered <- time.Now()
	}
}

// Introduce makes people known to Telegram.
func (t *Talk) Introduce(first int64, count int) error {
	for id := first; id < first+int64(count); id++ {
		err := t.call("/api/people", botapi.Person{ID: id, FirstName: fmt.Sprintf("Person %d", id), LanguageCode: "ru"})
		if err != nil {
			return err
		}
	}
	return nil
}

// call asks the persons' API without a network.
func (t *Talk) call(path string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(raw))
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	t.api.ServeHTTP(answer, request)
	if answer.Code >= http.StatusBadRequest {
		return fmt.Errorf("%s: %d %s", path, answer.Code, answer.Body)
	}
	return nil
}

// ask sends a person's text and waits for the bot's answer.
func (t *Talk) ask(ctx context.Context, person int64, text string) (time.Duration, error) {
	answered := make(chan time.Time, 1)
	t.mu.Lock()
	t.waiting[person] = answered
	t.mu.Unlock()
	started := time.Now()
	if err := t.call(fmt.Sprintf("/api/people/%d/messages", person), map[string]string{"text": text}); err != nil {
		return 0, err
	}
	select {
	case at := <-answered:
		return at.Sub(started), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("no answer to %d: %w", person, ctx.Err())
	}
}
