// Package sending_test proves how several processes write to people through one Telegram: within its limits, people before
// bulk messages, silent while Telegram says so, and never again to who has blocked the bot.
package sending_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/bot/notice"
	"atlas-secure/internal/config"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/telegram"
	"atlas-secure/internal/worker"
	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	token     = "700100:" + "ddddddddddddddddddddddddddddddddddd"
	firstUser = 100_001
	patience  = 5 * time.Minute
)

// bundle is a database, Redis and Telegram; the processes are made by process.
type bundle struct {
	*desk.Desk

	owner   *desk.Desk
	harness *harness.Bundle
	redis   *harness.RedisBundle
	api     *botapi.Server
	web     *httptest.Server
	people  *person.Client
	calls   *calls
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	h := harness.New(t)
	b := &bundle{
		Desk: &desk.Desk{TB: t, Conn: h.DBA}, owner: &desk.Desk{TB: t, Conn: h.Owner}, harness: h,
		redis: harness.Redis(t), calls: &calls{},
	}
	var err error
	b.api, err = botapi.New(botapi.Options{Bots: []botapi.Bot{{Token: token}}})
	require.NoError(t, err)
	b.calls.next = b.api
	b.web = httptest.NewServer(b.calls)
	t.Cleanup(func() { _ = b.api.Close(); b.web.CloseClientConnections(); b.web.Close() })
	b.people = person.NewClient(b.web.URL, "")
	return b
}

// call is one message that a process gave to Telegram, and what Telegram said.
type call struct {
	chat   int64
	status int
	at     time.Time
}

// calls notes the messages on their way to the emulator.
type calls struct {
	next http.Handler

	mu  sync.Mutex
	all []call
}

func (c *calls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(path.Base(r.URL.Path), "send") {
		c.next.ServeHTTP(w, r)
		return
	}
	text, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(text))
	var to struct {
		ChatID int64 `json:"chat_id"`
	}
	_ = json.Unmarshal(text, &to)
	made, answer := call{chat: to.ChatID, at: time.Now()}, &status{ResponseWriter: w, code: http.StatusOK}
	c.next.ServeHTTP(answer, r)
	made.status = answer.code
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, made)
}

// status remembers what was answered.
type status struct {
	http.ResponseWriter

	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// ended are the calls that Telegram answered with a status.
func (c *calls) ended(status int) []call {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []call
	for _, each := range c.all {
		if each.status == status {
			found = append(found, each)
		}
	}
	return found
}

// perChat counts calls with a status by chat.
func (c *calls) perChat(status int) map[int64]int {
	counts := map[int64]int{}
	for _, each := range c.ended(status) {
		counts[each.chat]++
	}
	return counts
}

// crowd makes people who have started the bot and are its users.
func (b *bundle) crowd(n int) []*person.Person {
	b.Helper()
	crowd := make([]*person.Person, n)
	for i := range crowd {
		var err error
		crowd[i], err = b.people.Ensure(context.Background(), botapi.Person{ID: int64(firstUser + i), FirstName: "Anna"})
		require.NoError(b, err)
		_, err = crowd[i].Send(context.Background(), "/start")
		require.NoError(b, err)
	}
	b.Query(`select r.telegram_id from generate_series($1::bigint, $2) u
		cross join lateral account.register(p_telegram_id => u, p_username => null, p_language => 'en', p_start_payload => null) r`,
		firstUser, firstUser+n-1)
	return crowd
}

// enqueue writes a bulk message for each of the first n users.
func (b *bundle) enqueue(n int) {
	b.Helper()
	b.owner.Query(`insert into outbox.task (telegram_id, kind, name, due_at, created_at)
		select u, 'message', 'referral_joined', core.now(), core.now() from generate_series($1::bigint, $2) u`, firstUser, firstUser+n-1)
}

// left is how many messages are not at their end.
func (b *bundle) left() int {
	b.Helper()
	return b.owner.Value("select count(*) from outbox.task where kind = 'message' and finished_at is null").(int)
}

// wide are limits that no test runs into.
func wide() telegram.Limits {
	rule := limit.Rule{Events: 10_000, Per: time.Second, Burst: 10_000}
	return telegram.Limits{All: rule, Chat: rule, Bulk: rule}
}

// process is a sender with all that belongs to it. Processes have nothing in common but Redis and the database.
type process struct {
	db        *sqlapi.DB
	sender    *telegram.Sender
	messenger *notice.Messenger
	job       worker.Job

	mu    sync.Mutex
	waits []time.Duration // how long each message took, from the claim to its end
}

func (b *bundle) process(limits telegram.Limits) *process {
	b.Helper()
	options, err := redis.ParseURL(b.redis.URL)
	require.NoError(b, err)
	client := redis.NewClient(options)
	b.Cleanup(func() { _ = client.Close() })
	api, err := telegram.NewClient(token, b.web.URL)
	require.NoError(b, err)
	b.Cleanup(api.CloseIdle)
	db, err := sqlapi.Open(context.Background(), sqlapi.Config{URL: config.NewSecret(b.harness.DSN(harness.WorkerLogin)), PoolSize: 8})
	require.NoError(b, err)
	b.Cleanup(db.Close)
	texts, err := i18n.Load(func(err error) { b.Error(err) })
	require.NoError(b, err)
	log := obs.Discard()
	// A busy machine must not drive it to do without Redis.
	p := &process{db: db, sender: telegram.NewSender(api, limit.New(client, "test:", limit.WithPatience(time.Minute)), log, telegram.WithLimits(limits))}
	p.messenger = notice.New(p.sender, texts)
	p.job = worker.Notify(db.Notify, &timed{p.messenger, p}, log)
	return p
}

// timed is a messenger that notes how long messages take.
type timed struct {
	messenger worker.Messenger
	process   *process
}

func (m *timed) Deliver(ctx context.Context, message sqlapi.Message) error {
	start := time.Now()
	err := m.messenger.Deliver(ctx, message)
	m.process.mu.Lock()
	defer m.process.mu.Unlock()
	m.process.waits = append(m.process.waits, time.Since(start))
	return err
}

// turn works one batch off.
func (p *process) turn(t testing.TB) {
	t.Helper()
	_, err := p.job(context.Background(), worker.Batch{Holder: worker.Holder(), Limit: 50, IsStopping: func() bool { return false }})
	assert.NoError(t, err)
}

// finish has processes work until no message is left.
func (b *bundle) finish(processes ...*process) {
	b.Helper()
	deadline := time.Now().Add(patience)
	var group sync.WaitGroup
	for _, p := range processes {
		group.Go(func() {
			for b.left() > 0 && time.Now().Before(deadline) {
				p.turn(b)
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	group.Wait()
	require.Zero(b, b.left(), "messages that are not at their end")
}

// outcomes counts how messages ended.
func (b *bundle) outcomes() map[string]int {
	b.Helper()
	counts := map[string]int{}
	for _, row := range b.owner.Query(`select coalesce(outcome, 'waiting') as outcome, count(*) as messages
		from outbox.task where kind = 'message' group by 1`) {
		counts[row["outcome"].(string)] = row["messages"].(int)
	}
	return counts
}
