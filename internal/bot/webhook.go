package bot

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/mymmrac/telego"

	"atlas-secure/internal/config"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/telegram"
	"atlas-secure/internal/wait"
)

const (
	// maxUpdate bounds an update that is posted to the webhook; Telegram's are a few kilobytes.
	maxUpdate = 1 << 20
	// setWebhookTime bounds one try to set the webhook.
	setWebhookTime = 10 * time.Second
	secretHeader   = "X-Telegram-Bot-Api-Secret-Token"
)

// Webhook is the intake by webhook: it tells Telegram the address, until that worked, and then waits. Every process
// says the same, and every process may take updates in.
func (b *Bot) Webhook(url string, secret config.Secret) Intake {
	return func(ctx context.Context) error {
		for failures := 1; ctx.Err() == nil; failures++ {
			err := b.setWebhook(ctx, url, secret)
			if err == nil {
				b.outages.webhook.Over(ctx)
				b.Log.InfoContext(ctx, "taking updates by webhook", obs.Operation("set_webhook"))
				break
			}
			rest := max(telegram.RetryAfter(err), wait.Jittered(min(time.Second<<min(failures, 10), pollPauseMax)))
			b.outages.webhook.Failed(ctx, "could not set the webhook", err, slog.Duration("wait", rest))
			_ = wait.For(ctx, rest)
		}
		<-ctx.Done()
		return nil
	}
}

func (b *Bot) setWebhook(ctx context.Context, url string, secret config.Secret) error {
	ctx, cancel := context.WithTimeout(ctx, setWebhookTime)
	defer cancel()
	return b.Client.SetWebhook(ctx, &telego.SetWebhookParams{ //nolint:wrapcheck // logged by the caller
		URL: url, SecretToken: secret.Reveal(), AllowedUpdates: updateKinds(), DropPendingUpdates: false,
	})
}

// WebhookHandler takes in what Telegram posts: stored first, then 200. Anything but 200 makes Telegram come again.
func (b *Bot) WebhookHandler(secret config.Secret) http.Handler {
	want := sha256.Sum256([]byte(secret.Reveal()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := sha256.Sum256([]byte(r.Header.Get(secretHeader)))
		if !secret.IsSet() || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method != http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		w.WriteHeader(b.takePosted(w, r))
	})
}

func (b *Bot) takePosted(w http.ResponseWriter, r *http.Request) (status int) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUpdate))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return http.StatusRequestEntityTooLarge
		}
		return http.StatusBadRequest
	}
	update, err := telegram.ParseUpdate(body)
	if err != nil {
		return http.StatusBadRequest
	}
	if err := b.take(r.Context(), []telegram.RawUpdate{update}); err != nil {
		b.Log.ErrorContext(r.Context(), "could not take an update in", obs.Operation("webhook"), obs.Outcome(obs.OutcomeFailed), obs.Err(err))
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}
