// Package bot is the conversation with people: it takes updates in, works them off, and answers each with one screen.
//
//	Telegram ──► intake (poll or webhook) ──► inbox table ──► workers ──► a route ──► one function ──► one screen
//
// Taking in and working off are two loops. One process polls, under a lease (with a webhook every process takes in);
// every process works the inbox, a chat at a time and in order. Money is decided by the database alone: a handler
// reads what was pressed or typed, calls one function and draws its answer.
package bot

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/config"
	"atlas-secure/internal/dialogue"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/lease"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/requisites"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/telegram"
)

// Parts is what a bot is made of.
type Parts struct {
	DB             *sqlapi.DB
	Client         *telegram.Client
	Sender         *telegram.Sender
	Dialogues      *dialogue.Store
	Limiter        *limit.Limiter
	Texts          *i18n.Catalogue
	Crypto         CryptoPay          // nil: Crypto Pay is not offered
	CardToken      config.Secret      // not set: card payments are not offered
	Requisites     *requisites.Sealer // of what people say, too, while it waits in the inbox
	SupportContact string
	Holder         string        // names this process in leases
	Version        string        // of the release, for admins
	Filter         *lease.Filter // nil: every process asks Postgres whether it polls
	Log            *slog.Logger
	Registerer     prometheus.Registerer
	Hands          int           // updates worked off at once; 0: DefaultHands
	Grace          time.Duration // for updates in hand when the process has to stop; 0: Grace
}

// DefaultHands fits the default size of the database pool.
const DefaultHands = 16

// Grace is how long updates in hand may take after the process was told to stop.
const Grace = 20 * time.Second

// Bot answers people.
type Bot struct {
	Parts
	routes  routes
	metrics *metrics
	limits  *limit.Guard
	nudge   chan struct{} // something may have become claimable
	checks  checkouts
	outages struct{ inbox, poll, webhook, commands *obs.Outage }
	ended   ended
	banners banners
	// startedAt is when this process began, for admins.
	startedAt time.Time
}

// New makes a bot. It calls nobody.
func New(parts Parts) (*Bot, error) {
	if parts.Hands <= 0 {
		parts.Hands = DefaultHands
	}
	if parts.Version == "" {
		parts.Version = "unknown"
	}
	if parts.Grace <= 0 {
		parts.Grace = Grace
	}
	b := &Bot{Parts: parts, nudge: make(chan struct{}, 1), startedAt: time.Now(), limits: limit.NewGuard(parts.Limiter, Counter(parts.DB))}
	for operation, outage := range map[string]**obs.Outage{
		"claim": &b.outages.inbox, "poll": &b.outages.poll,
		"set_webhook": &b.outages.webhook, "set_my_commands": &b.outages.commands,
	} {
		*outage = obs.NewOutage(parts.Log, operation)
	}
	b.checks.slots = make(chan struct{}, maxChecks)
	var err error
	if b.routes, err = index(b.allRoutes()); err != nil {
		return nil, err
	}
	if b.metrics, err = newMetrics(parts.Registerer); err != nil {
		return nil, err
	}
	return b, nil
}

// Intake brings updates into the inbox until ctx ends.
type Intake func(ctx context.Context) error

// Run takes updates in and works them off until ctx ends; then it finishes those in hand, gives the rest back, and
// returns.
func (b *Bot) Run(ctx context.Context, intake Intake) error {
	loops, ctx := errgroup.WithContext(ctx)
	loops.Go(func() error { return b.announceCommands(ctx) })
	loops.Go(func() error { return intake(ctx) })
	loops.Go(func() error { return b.workInbox(ctx) })
	err := loops.Wait()
	b.checks.close()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// announceCommands fills the menu beside the input field, however long Telegram is away.
func (b *Bot) announceCommands(ctx context.Context) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = time.Second, time.Minute
	_, _ = backoff.Retry(ctx, func() (struct{}, error) { // fails when ctx ends only
		err := b.setCommands(ctx)
		if err == nil {
			b.outages.commands.Over(ctx)
		} else if ctx.Err() == nil {
			b.outages.commands.Failed(ctx, "could not set the commands", err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(0))
	return nil
}

func (b *Bot) setCommands(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for _, language := range b.Texts.Languages() {
		if err := b.Client.SetMyCommands(ctx, b.commandsIn(language)); err != nil {
			return err //nolint:wrapcheck // logged by the caller
		}
	}
	everybodyElse := b.commandsIn(atlas.English)
	everybodyElse.LanguageCode = ""
	return b.Client.SetMyCommands(ctx, everybodyElse) //nolint:wrapcheck // logged by the caller
}

// wake makes the inbox look for work now rather than at its next turn.
func (b *Bot) wake() {
	select {
	case b.nudge <- struct{}{}:
	default:
	}
}
