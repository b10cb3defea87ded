package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/redis/go-redis/v9"

	"atlas-secure/internal/bot/notice"
	"atlas-secure/internal/config"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/lease"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/pay/cryptobot"
	"atlas-secure/internal/pay/cryptopay"
	"atlas-secure/internal/redisdb"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/telegram"
	"atlas-secure/internal/vpn"
	"atlas-secure/internal/worker"
)

// parts is a worker and what it is made of.
type parts struct {
	db       *sqlapi.DB
	redis    redis.UniversalClient
	patience *redisdb.Patience // with Redis
	telegram *telegram.Client
	nodes    []vpn.Named
	worker   *worker.Worker
	crypto   *cryptopay.Client // nil: Crypto Pay is not offered
	log      *slog.Logger
	checks   []obs.Check // of what the shop depends on, by the names in ops.component_status
	mux      *http.ServeMux
}

func (p *parts) close() {
	for _, node := range p.nodes {
		node.Close()
	}
	if p.telegram != nil {
		p.telegram.CloseIdle()
	}
	if p.redis != nil {
		_ = p.redis.Close()
	}
	if p.db != nil {
		p.db.Close()
	}
}

// wire makes the parts. Nothing is connected yet: a worker may start before what it needs.
func wire(ctx context.Context, cfg *config.Config, log *slog.Logger) (p *parts, err error) {
	p = &parts{mux: http.NewServeMux(), log: log}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	registry := obs.NewRegistry()
	if p.db, err = sqlapi.Open(ctx, sqlapi.Config{
		URL: cfg.DatabaseURL, PoolSize: cfg.DatabasePoolSize, StatementTimeout: cfg.DatabaseStatementTimeout,
		LockTimeout: cfg.DatabaseLockTimeout, ApplicationName: "atlas-worker", Logger: log, Registerer: registry,
	}); err != nil {
		return nil, fmt.Errorf("wiring: %w", err)
	}
	redisdb.LogTo(log)
	if p.redis, err = redisdb.Open(redisdb.Options{
		URL: cfg.RedisURL, PoolSize: cfg.RedisPoolSize, Timeout: cfg.RedisTimeout,
	}); err != nil {
		return nil, fmt.Errorf("wiring: %w", err)
	}
	if p.patience, err = redisdb.NewPatience(redisdb.PatienceOptions{
		Limit: cfg.RedisPatience, Failures: cfg.BreakerFailures, Rest: cfg.RedisRest, Registerer: registry,
	}); err != nil {
		return nil, fmt.Errorf("wiring: %w", err)
	}
	if p.telegram, err = telegram.NewClient(cfg.BotToken.Reveal(), cfg.BotAPIURL); err != nil {
		return nil, fmt.Errorf("wiring: %w", err)
	}
	nodes, err := cfg.Nodes()
	if err != nil {
		return nil, fmt.Errorf("wiring: %w", err)
	}
	if p.nodes, err = vpn.Open(nodes, vpn.WithBreaker(cfg.BreakerFailures, cfg.VPNNodeRest)); err != nil {
		return nil, fmt.Errorf("wiring: %w", err)
	}
	nodeMeter, err := worker.NewNodeMeter(registry)
	if err != nil {
		return nil, fmt.Errorf("wiring: %w", err)
	}
	p.checks = []obs.Check{
		{Name: "database", IsCritical: true, Probe: p.db.CheckSchema},
		{Name: "redis", Probe: redisdb.Ping(p.redis)},
		{Name: "telegram", Probe: answered(p.telegram.GetMe)},
		{Name: "vpn", Probe: func(ctx context.Context) error { return worker.EveryNode(ctx, p.nodes) }},
	}
	jobs, err := p.jobs(cfg, log, nodeMeter)
	if err != nil {
		return nil, err
	}
	jobs["ops.check_health"] = worker.CheckHealth(p.db.Ops, log, p.checks...)
	meter, err := worker.NewMeter(registry)
	if err != nil {
		return nil, fmt.Errorf("wiring: %w", err)
	}
	holder := worker.Holder()
	filter := lease.NewFilter(p.redis, cfg.RedisKeyPrefix, holder, lease.Sharing(p.patience))
	p.worker = worker.New(p.db.Ops, jobs, holder, filter, log, meter)
	obs.Register(p.mux, registry, p.checks...)
	return p, nil
}

// jobs are what this release can do, by the names in ops.job. A row of another name is left to other releases.
func (p *parts) jobs(cfg *config.Config, log *slog.Logger, nodeMeter *worker.NodeMeter) (map[string]worker.Job, error) {
	texts, err := i18n.Load(func(err error) { log.Error("text", obs.Operation("i18n"), obs.Err(err)) })
	if err != nil {
		return nil, fmt.Errorf("wiring: %w", err)
	}
	limiter := limit.New(p.redis, cfg.RedisKeyPrefix, limit.Sharing(p.patience))
	limits := telegram.LimitsOf(cfg.MessagesPerSecond, cfg.BroadcastsPerSecond)
	messenger := notice.New(telegram.NewSender(p.telegram, limiter, log, telegram.WithLimits(limits)), texts)
	jobs := map[string]worker.Job{
		"vpn.provision":      worker.Provision(p.db.VPN, p.nodes, log),
		"vpn.reissue_due":    worker.Due(p.db.VPN.ReissueDue),
		"vpn.sync_nodes":     worker.SyncNodes(p.db.VPN, p.nodes, log, nodeMeter),
		"notify.send":        worker.Notify(p.db.Notify, messenger, log),
		"broadcast.send":     worker.Broadcast(p.db.Broadcast, messenger, log),
		"ops.send_exports":   worker.Export(p.db.Ops, p.db.Account, messenger, log, worker.ExportOptions{}),
		"billing.expire_due": worker.Due(p.db.Billing.ExpireDue),
		"ops.purge_due":      worker.Due(p.db.Ops.PurgeDue),
		"ops.figures_due":    worker.Due(p.db.Ops.FiguresDue),

		"subscription.expire_due": worker.Due(p.db.Subscription.ExpireDue),
		"subscription.renew_due":  worker.Due(p.db.Subscription.RenewDue),
		"notify.enqueue_due":      worker.Due(p.db.Notify.EnqueueDue),
		"referral.pay_due":        worker.Due(p.db.Referral.PayDue),
		"withdrawal.purge_due":    worker.Due(p.db.Withdrawal.PurgeDue),
		"audit.seal":              worker.Seal(p.db.Audit, log),
	}
	if !cfg.CryptoPayToken.IsSet() {
		return jobs, nil // Crypto Pay is not offered
	}
	client, err := cryptopay.New(cryptopay.Options{BaseURL: cfg.CryptoPayURL, Token: cfg.CryptoPayToken, Logger: log})
	if err != nil {
		return nil, fmt.Errorf("wiring: %w", err)
	}
	p.crypto = client
	p.checks = append(p.checks, obs.Check{Name: "cryptopay", Probe: answered(client.GetMe)})
	poller := cryptobot.NewPoller(p.db.Billing, client, log)
	jobs["pay.poll_cryptobot"] = func(ctx context.Context, batch worker.Batch) (int, error) {
		return poller.Poll(ctx, batch.Limit)
	}
	return jobs, nil
}

// answered makes a probe of a call whose answer does not matter.
func answered[T any](ask func(ctx context.Context) (T, error)) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		_, err := ask(ctx)
		return err
	}
}
