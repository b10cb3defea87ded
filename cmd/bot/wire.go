package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot"
	"atlas-secure/internal/config"
	"atlas-secure/internal/daemon"
	"atlas-secure/internal/dialogue"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/lease"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/pay/cryptobot"
	"atlas-secure/internal/pay/cryptopay"
	"atlas-secure/internal/redisdb"
	"atlas-secure/internal/requisites"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/telegram"
)

// wiring is the process's parts, put together.
type wiring struct {
	db     *sqlapi.DB
	redis  redis.UniversalClient
	bot    *bot.Bot
	intake bot.Intake
	mux    *http.ServeMux
	close  func()
}

// unreachableTime bounds noting that somebody blocked the bot.
const unreachableTime = 5 * time.Second

func wire(ctx context.Context, cfg *config.Config, log *slog.Logger) (*wiring, error) {
	registry := obs.NewRegistry()
	db, err := sqlapi.Open(ctx, sqlapi.Config{
		URL: cfg.DatabaseURL, PoolSize: cfg.DatabasePoolSize, StatementTimeout: cfg.DatabaseStatementTimeout,
		LockTimeout: cfg.DatabaseLockTimeout, ApplicationName: "atlas-bot", Logger: log, Registerer: registry,
	})
	if err != nil {
		return nil, err
	}
	store, err := redisdb.Open(redisdb.Options{URL: cfg.RedisURL, PoolSize: cfg.RedisPoolSize, Timeout: cfg.RedisTimeout})
	if err != nil {
		return nil, err
	}
	patience, err := redisdb.NewPatience(redisdb.PatienceOptions{
		Limit: cfg.RedisPatience, Failures: cfg.BreakerFailures, Rest: cfg.RedisRest, Registerer: registry,
	})
	if err != nil {
		return nil, err
	}
	client, err := telegram.NewClient(cfg.BotToken.Reveal(), cfg.BotAPIURL)
	if err != nil {
		return nil, err
	}
	texts, err := i18n.Load(func(err error) { log.Error("text", obs.Operation("i18n"), obs.Err(err)) })
	if err != nil {
		return nil, err
	}
	sealer, err := requisites.NewSealer(cfg.RequisitesKey)
	if err != nil {
		return nil, err
	}
	limiter := limit.New(store, cfg.RedisKeyPrefix, limit.Sharing(patience))
	name := holder()
	parts := bot.Parts{
		DB: db, Client: client, Texts: texts, Limiter: limiter,
		Sender: telegram.NewSender(client, limiter, log, telegram.WithOnUnreachable(noteUnreachable(db, log)),
			telegram.WithLimits(telegram.LimitsOf(cfg.MessagesPerSecond, cfg.BroadcastsPerSecond))),
		Dialogues: dialogue.New(store, cfg.RedisKeyPrefix, dialogue.DefaultTTL, dialogue.Sharing(patience)),
		CardToken: cfg.CardProviderToken, Requisites: sealer, SupportContact: cfg.SupportContact, Log: log, Registerer: registry,
		Holder: name, Version: daemon.Version(), Filter: lease.NewFilter(store, cfg.RedisKeyPrefix, name, lease.Sharing(patience)),
	}
	mux := http.NewServeMux()
	if cfg.CryptoPayToken.IsSet() {
		crypto, err := cryptopay.New(cryptopay.Options{BaseURL: cfg.CryptoPayURL, Token: cfg.CryptoPayToken, Logger: log})
		if err != nil {
			return nil, err
		}
		parts.Crypto = crypto
		mux.Handle(cryptobot.Path, cryptobot.NewWebhook(db.Billing, crypto, log))
	}
	b, err := bot.New(parts)
	if err != nil {
		return nil, err
	}
	w := &wiring{db: db, redis: store, bot: b, intake: b.Poll, mux: mux}
	if cfg.BotWebhookURL != "" {
		address, err := url.Parse(cfg.BotWebhookURL)
		if err != nil || address.Path == "" || address.Path == "/" {
			return nil, errors.New("the webhook's address needs a path of its own")
		}
		w.intake = b.Webhook(cfg.BotWebhookURL, cfg.BotWebhookSecret)
		mux.Handle(address.Path, b.WebhookHandler(cfg.BotWebhookSecret))
	}
	obs.Register(mux, registry,
		obs.Check{Name: "database", IsCritical: true, Probe: db.CheckSchema},
		obs.Check{Name: "redis", Probe: redisdb.Ping(store)})
	w.close = func() {
		client.CloseIdle()
		_ = store.Close() // nothing is waiting for it any more
		db.Close()
	}
	return w, nil
}

// run waits for the database, however long that takes, and then talks with people until ctx ends.
func (w *wiring) run(ctx context.Context) error {
	if err := w.db.Await(ctx); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // told to stop while waiting, which is no failure
		}
		return err
	}
	return w.bot.Run(ctx, w.intake)
}

// noteUnreachable records that somebody blocked the bot, so that nobody writes to them until they are back.
func noteUnreachable(db *sqlapi.DB, log *slog.Logger) func(context.Context, int64) {
	return func(ctx context.Context, chatID int64) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unreachableTime)
		defer cancel()
		err := db.Account.SetReachable(ctx, atlas.TelegramID(chatID), false)
		if err != nil && !errors.Is(err, atlas.ErrNoSuchUser) {
			log.WarnContext(ctx, "could not note that somebody is unreachable", obs.Operation("set_reachable"), obs.Err(err))
		}
	}
}

// holder names this process in leases: the machine, the process, and what no other process has.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text()[:8])
}
