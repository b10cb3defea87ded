package bot

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mymmrac/telego"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

const (
	// maxChecks is how many checkouts are answered at once; intake waits while there are more.
	maxChecks = 32
	// checkTime is what the database may take. Telegram gives ten seconds in all.
	checkTime = 5 * time.Second
	// checkAnswerTime is what the answer itself may take.
	checkAnswerTime = 4 * time.Second
)

// checkouts are the answers to checkouts under way.
type checkouts struct {
	mu       sync.Mutex
	isClosed bool
	running  sync.WaitGroup
	slots    chan struct{}
}

var errStopping = errors.New("the process is stopping")

// start runs check beside the caller, waiting while there are too many. After close nothing starts any more.
func (c *checkouts) start(check func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isClosed {
		return errStopping
	}
	c.slots <- struct{}{}
	c.running.Go(func() {
		defer func() { <-c.slots }()
		check()
	})
	return nil
}

// close waits for the answers under way.
func (c *checkouts) close() {
	c.mu.Lock()
	c.isClosed = true
	c.mu.Unlock()
	c.running.Wait()
}

// startCheck answers a checkout beside everything else: a person with a card in the hand is waiting, and the inbox may be
// long. An update that comes again is answered again, which Telegram ignores.
func (b *Bot) startCheck(ctx context.Context, updateID int64, q *telego.PreCheckoutQuery) error {
	ctx = context.WithoutCancel(ctx) // once begun it is finished; it ends by its own times
	ctx = obs.WithCorrelationID(ctx, sqlapi.ClaimedUpdate{UpdateID: updateID}.CorrelationID())
	ctx = obs.WithTelegramID(ctx, q.From.ID)
	return b.checks.start(func() { b.check(ctx, q) })
}

func (b *Bot) check(ctx context.Context, q *telego.PreCheckoutQuery) {
	started := time.Now()
	refusal := b.checkRefusal(ctx, q)
	text := ""
	if refusal != "" {
		text = b.checkText(q, refusal)
	}
	ctx, cancel := context.WithTimeout(ctx, checkAnswerTime)
	defer cancel()
	err := b.Sender.AnswerPreCheckout(ctx, q.ID, text)
	outcome := obs.OutcomeOK
	switch {
	case err != nil:
		outcome = obs.OutcomeFailed
	case refusal != "":
		outcome = obs.OutcomeRefused
	}
	b.metrics.handled("pre_checkout", outcome, time.Since(started))
	attrs := []any{obs.Operation("pre_checkout"), obs.Outcome(outcome), obs.Took(started), "refusal", refusal}
	if err != nil {
		b.Log.ErrorContext(ctx, "could not answer a checkout", append(attrs, obs.Err(err))...)
		return
	}
	b.Log.InfoContext(ctx, "checkout", attrs...)
}

// checkRefusal asks whether the payment would buy what it is for; empty means yes.
func (b *Bot) checkRefusal(ctx context.Context, q *telego.PreCheckoutQuery) string {
	purchase, err := atlas.ParsePurchaseID(q.InvoicePayload)
	if err != nil {
		return "unknown_purchase"
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	answer, err := b.DB.Billing.Precheck(ctx, atlas.TelegramID(q.From.ID), purchase, int64(q.TotalAmount), atlas.Currency(q.Currency))
	if err != nil {
		b.Log.WarnContext(ctx, "could not check a payment", obs.Operation("pre_checkout"), obs.Err(err))
		return "unavailable"
	}
	if !answer.IsPayable && answer.Refusal == "" {
		return "unavailable"
	}
	return answer.Refusal
}

// checkText explains a refusal, in the language of Telegram's own screens: it is shown inside the payment form.
func (b *Bot) checkText(q *telego.PreCheckoutQuery, refusal string) string {
	t := b.Texts.In(b.guessLanguage(q.From.LanguageCode))
	if key := "alert.check_" + refusal; t.Has(key) {
		return t.Plain(key)
	}
	return t.Plain("alert.check_unavailable")
}
