package bot_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot"
	"atlas-secure/internal/bot/notice"
	"atlas-secure/internal/config"
	"atlas-secure/internal/dialogue"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/pay/cryptopay"
	"atlas-secure/internal/requisites"
	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
	fakepay "atlas-secure/internal/sandbox/cryptopay"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/telegram"
	"atlas-secure/internal/vpn"
	"atlas-secure/internal/worker"
	"atlas-secure/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	token       = "700100:" + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	cryptoToken = "1:crypto"
	cardToken   = "284685063:TEST:card"
	adminID     = 900001
)

// bundle is a whole system but for its processes: a database, Redis, the Bot API emulator, fake Crypto Pay, and workers and
// bots made of the real packages.
type bundle struct {
	ctx    context.Context
	db     *harness.Bundle
	redis  *miniredis.Miniredis
	people *person.Client
	api    *httptest.Server
	pay    *httptest.Server
	log    *logged
	next   atomic.Int64
}

// logged keeps what the processes log, and looks for secrets in it when the test ends.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{db: harness.New(t), redis: miniredis.RunT(t), log: &logged{}}
	b.next.Store(100000)
	var cancel context.CancelFunc
	b.ctx, cancel = context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(b.log.String())
		}
		for _, secret := range []string{strings.Split(token, ":")[1], cryptoToken, cardToken, "vless://"} {
			require.NotContains(t, b.log.String(), secret, "a secret in the log")
		}
	})
	t.Cleanup(cancel)

	api, err := botapi.New(botapi.Options{Bots: []botapi.Bot{{Token: token, Username: "atlas_bot", FirstName: "Atlas"}}})
	require.NoError(t, err)
	b.api = httptest.NewServer(api)
	t.Cleanup(func() { _ = api.Close(); b.api.CloseClientConnections(); b.api.Close() })
	b.people = person.NewClient(b.api.URL, "")

	pay, err := fakepay.New(fakepay.Options{Token: cryptoToken})
	require.NoError(t, err)
	b.pay = httptest.NewServer(pay)
	t.Cleanup(func() { _ = pay.Close(); b.pay.Close() })
	return b
}

// process is a running bot.
type process struct {
	bot  *bot.Bot
	db   *sqlapi.DB
	stop func() // tells it to stop and waits
}

// startBot starts a bot that polls, as cmd/bot does it; it stops when the test ends.
func (b *bundle) startBot(t *testing.T, change ...func(*bot.Parts)) *process {
	t.Helper()
	return b.startBotWith(t, func(made *bot.Bot) bot.Intake { return made.Poll }, change...)
}

func (b *bundle) startBotWith(t *testing.T, intake func(*bot.Bot) bot.Intake, change ...func(*bot.Parts)) *process {
	t.Helper()
	p := &process{db: b.openDB(t, harness.BotLogin)}
	parts := b.parts(t, p.db)
	for _, each := range change {
		each(&parts)
	}
	var err error
	p.bot, err = bot.New(parts)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.bot.Run(ctx, intake(p.bot)) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
	})
	t.Cleanup(p.stop)
	return p
}

func (b *bundle) parts(t *testing.T, db *sqlapi.DB) bot.Parts {
	t.Helper()
	texts, err := i18n.Load(func(err error) { t.Error(err) })
	require.NoError(t, err)
	client := b.client(t)
	// A busy machine must not drive them to do without Redis.
	limiter := limit.New(b.redisClient(t), "test:", limit.WithPatience(time.Minute))
	crypto, err := cryptopay.New(cryptopay.Options{BaseURL: b.pay.URL, Token: config.NewSecret(cryptoToken)})
	require.NoError(t, err)
	log := obs.NewLogger(b.log, 0, "bot")
	return bot.Parts{
		DB: db, Client: client, Texts: texts, Limiter: limiter,
		Sender: telegram.NewSender(client, limiter, log, telegram.WithLimits(fast()), telegram.WithOnUnreachable(
			func(ctx context.Context, id int64) { _ = db.Account.SetReachable(ctx, atlas.TelegramID(id), false) })),
		Dialogues:      dialogue.New(b.redisClient(t), "test:", dialogue.DefaultTTL, dialogue.WithPatience(time.Minute)),
		Crypto:         crypto,
		CardToken:      config.NewSecret(cardToken),
		Requisites:     sealer(t),
		SupportContact: "@atlas_support",
		Holder:         worker.Holder(),
		Log:            log,
	}
}

// sealer has a key of its own for tests.
func sealer(t *testing.T) *requisites.Sealer {
	t.Helper()
	made, err := requisites.NewSealer(config.NewSecret("dGVzdHM6IG5vYm9keSdzIG1vbmV5IGdvZXMgaGVyZSE="))
	require.NoError(t, err)
	return made
}

// fast are limits that no test runs into.
func fast() telegram.Limits {
	wide := limit.Rule{Events: 1000, Per: time.Second, Burst: 1000}
	return telegram.Limits{All: wide, Chat: wide, Bulk: wide}
}

func (b *bundle) openDB(t *testing.T, role harness.Role) *sqlapi.DB {
	t.Helper()
	db, err := sqlapi.Open(context.Background(), sqlapi.Config{URL: config.NewSecret(b.db.DSN(role)), Logger: obs.NewLogger(b.log, 0, "sqlapi")})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	require.NoError(t, db.CheckFunctions(b.ctx))
	return db
}

func (b *bundle) client(t *testing.T) *telegram.Client {
	t.Helper()
	client, err := telegram.NewClient(token, b.api.URL)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdle)
	return client
}

func (b *bundle) redisClient(t *testing.T) redis.UniversalClient {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: b.redis.Addr(), MaxRetries: -1, DialTimeout: time.Minute, ReadTimeout: time.Minute})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// node is a VPN node that gives everybody a key.
type node struct{}

func (node) Add(_ context.Context, user atlas.VPNUser) (string, error) {
	return "vless://" + user.UUID + "@127.0.0.1:443?security=reality&flow=xtls-rprx-vision#atlas", nil
}
func (node) Remove(context.Context, string) error { return nil }
func (node) Set(context.Context, func(context.Context) (vpn.Wanted, error)) (vpn.Changes, error) {
	return vpn.Changes{}, nil
}
func (node) Health(context.Context) (vpn.Health, error) {
	return vpn.Health{Status: "ok", InstanceID: "test"}, nil
}

// startWorker runs the jobs that people notice, without their schedule.
func (b *bundle) startWorker(t *testing.T) {
	t.Helper()
	db := b.openDB(t, harness.WorkerLogin)
	texts, err := i18n.Load(func(err error) { t.Error(err) })
	require.NoError(t, err)
	log := obs.NewLogger(b.log, 0, "worker")
	sender := telegram.NewSender(b.client(t), limit.New(b.redisClient(t), "test:"), log, telegram.WithLimits(fast()))
	jobs := []worker.Job{
		worker.Provision(db.VPN, []vpn.Named{{Name: "node", Node: node{}}}, log),
		worker.Notify(db.Notify, notice.New(sender, texts), log),
	}
	ctx, cancel := context.WithCancel(context.Background())
	var loop sync.WaitGroup
	loop.Go(func() {
		batch := worker.Batch{Holder: worker.Holder(), Limit: 50, IsStopping: func() bool { return ctx.Err() != nil }}
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for ctx.Err() == nil {
			for _, job := range jobs {
				if _, err := job(ctx, batch); err != nil && ctx.Err() == nil {
					t.Errorf("worker: %v", err)
				}
			}
			select {
			case <-ctx.Done():
			case <-ticker.C:
			}
		}
	})
	t.Cleanup(func() { cancel(); loop.Wait() })
}

// person makes somebody new.
func (b *bundle) person(t *testing.T, name, language string) *person.Person {
	t.Helper()
	made, err := b.people.Ensure(b.ctx, botapi.Person{ID: b.next.Add(1), FirstName: name, LanguageCode: language})
	require.NoError(t, err)
	return made
}

// started makes somebody who has chosen a language and sees the menu.
func (b *bundle) started(t *testing.T, name, language string) *person.Person {
	t.Helper()
	p := b.person(t, name, language)
	b.send(t, p, "/start")
	b.press(t, p, map[string]string{"ru": "Русский", "en": "English"}[language])
	b.sees(t, p, "Atlas Secure")
	return p
}

func (b *bundle) send(t *testing.T, p *person.Person, text string) {
	t.Helper()
	_, err := p.Send(b.ctx, text)
	require.NoError(t, err)
}

func (b *bundle) press(t *testing.T, p *person.Person, label string) botapi.CallbackAnswer {
	t.Helper()
	answer, err := p.Press(b.ctx, label)
	require.NoError(t, err)
	require.True(t, answer.IsAnswered, "nobody answered the press of %q", label)
	return answer
}

func (b *bundle) sees(t *testing.T, p *person.Person, text string) botapi.ChatMessage {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 2*time.Minute)
	defer cancel()
	m, err := p.WaitText(ctx, text)
	require.NoError(t, err)
	return m
}

const (
	patience = 2 * time.Minute
	poll     = 10 * time.Millisecond
)

// lastMessage is the newest message of the bot.
func (b *bundle) lastMessage(t *testing.T, p *person.Person) botapi.ChatMessage {
	t.Helper()
	view, err := p.Chat(b.ctx)
	require.NoError(t, err)
	for _, m := range slices.Backward(view.Messages) {
		if m.IsOutgoing {
			return m
		}
	}
	t.Fatal("the bot has said nothing")
	return botapi.ChatMessage{}
}

// forge presses a button that need not be there any more, and waits for the answer.
func (b *bundle) forge(t *testing.T, p *person.Person, message int, data string) botapi.CallbackAnswer {
	t.Helper()
	id, err := p.Tap(b.ctx, person.Tap{MessageID: message, Data: data, Forged: true})
	require.NoError(t, err)
	answer, err := p.Answer(b.ctx, id)
	require.NoError(t, err)
	require.True(t, answer.IsAnswered, "nobody answered the press of %q", data)
	return answer
}

// together presses one button on two devices at once.
func (b *bundle) together(t *testing.T, p *person.Person, message int, data string) {
	t.Helper()
	var both errgroup.Group
	for range 2 {
		both.Go(func() error {
			id, err := p.Tap(b.ctx, person.Tap{MessageID: message, Data: data, Forged: true})
			if err == nil {
				_, err = p.Answer(b.ctx, id)
			}
			return err
		})
	}
	require.NoError(t, both.Wait())
}

func (b *bundle) chat(t *testing.T, p *person.Person) string {
	t.Helper()
	view, err := p.Chat(b.ctx)
	require.NoError(t, err)
	return person.Transcript(view)
}

// credit gives somebody money, as an admin.
func (b *bundle) credit(t *testing.T, p *person.Person, roubles int64) {
	t.Helper()
	db := b.openDB(t, harness.BotLogin)
	_, err := db.Account.Register(b.ctx, sqlapi.RegisterParams{TelegramID: adminID})
	require.NoError(t, err)
	_, err = b.db.DBA.Exec(b.ctx, `select from account.grant_admin(p_telegram_id => $1, p_note => 'test')`, int64(adminID))
	require.NoError(t, err)
	_, err = db.Wallet.Credit(b.ctx, sqlapi.AdjustParams{
		TelegramID: atlas.TelegramID(p.ID), Amount: atlas.Roubles(roubles), AdminID: adminID, Note: "test",
		Key: fmt.Sprintf("test:%d:%d", p.ID, b.next.Add(1)),
	})
	require.NoError(t, err)
}

func (b *bundle) count(t *testing.T, sql string, args ...any) int {
	t.Helper()
	var n int
	require.NoError(t, b.db.Owner.QueryRow(b.ctx, sql, args...).Scan(&n))
	return n
}

// waitHandled waits until all that people did has come from Telegram and is handled to its end, which is later than its
// answer.
func (b *bundle) waitHandled(t *testing.T) {
	t.Helper()
	b.waitAtTelegram(t, 0)
	b.waitCount(t, 0, `select count(*)::int from inbox.update where finished_at is null`)
}

// waitAtTelegram waits until so many updates wait for a bot to ask for them.
func (b *bundle) waitAtTelegram(t *testing.T, count int) {
	t.Helper()
	client := b.client(t)
	require.Eventually(t, func() bool {
		info, err := client.GetWebhookInfo(b.ctx)
		return err == nil && info.PendingUpdateCount == count
	}, patience, poll)
}

// waitCount waits until a query gives a number.
func (b *bundle) waitCount(t *testing.T, want int, sql string, args ...any) {
	t.Helper()
	require.Eventually(t, func() bool {
		var n int
		return b.db.Owner.QueryRow(b.ctx, sql, args...).Scan(&n) == nil && n == want
	}, 2*time.Minute, 20*time.Millisecond, "%s: never %d", sql, want)
}
