// Package notice brings the messages of the outbox to people: it draws each in the person's language and sends it through
// the one sender.
package notice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/telegram"
)

// Messenger delivers messages.
type Messenger struct {
	sender *telegram.Sender
	texts  *i18n.Catalogue
}

// New makes a messenger.
func New(sender *telegram.Sender, texts *i18n.Catalogue) *Messenger {
	return &Messenger{sender: sender, texts: texts}
}

var errNoKey = errors.New("no key among the arguments")

// undelivered is an error that is certain that nothing arrived.
type undelivered struct {
	err           error
	isUnreachable bool
}

func (u *undelivered) Error() string       { return u.err.Error() }
func (u *undelivered) Unwrap() error       { return u.err }
func (u *undelivered) IsUnreachable() bool { return u.isUnreachable }

// postponed is an undelivered that is no fault of the message's.
type postponed struct {
	undelivered

	wait time.Duration
}

func (p *postponed) Wait() time.Duration { return p.wait }

// minWait is how long a message waits at least that could not be sent for no fault of its own.
const minWait = time.Second

// Deliver sends one message. Nil: Telegram took it. An error with IsUnreachable() bool: certainly nothing was delivered,
// and true means that the person takes no messages. One with Wait() too: it was no fault of the message's, which can be
// tried again after that time. Any other error: nobody knows.
func (m *Messenger) Deliver(ctx context.Context, message sqlapi.Message) error {
	s, err := draw(m.texts.In(message.Language), message.Template, message.Arguments)
	if err != nil {
		return &undelivered{err: err}
	}
	toSend := s.Message(int64(message.TelegramID))
	if !awaited[message.Template] {
		toSend.Urgency = telegram.Bulk
	}
	return m.send(ctx, toSend)
}

// AwaitTurn returns when one more message of a broadcast may go out.
func (m *Messenger) AwaitTurn(ctx context.Context) error {
	if err := m.sender.AwaitTurn(ctx); err != nil {
		return fmt.Errorf("turn of a broadcast: %w", err)
	}
	return nil
}

// Proclaim sends one message of a broadcast, whose turn was awaited. Its errors are those of Deliver.
func (m *Messenger) Proclaim(ctx context.Context, message sqlapi.BroadcastMessage) error {
	out := screen.Broadcast(m.texts.In(message.Language), message.BroadcastID, message.Text, message.Offer).
		Message(int64(message.TelegramID))
	out.Urgency = telegram.Called
	return m.send(ctx, out)
}

// Bring sends a part of an export, after everything that somebody waits for. Its errors are those of Deliver.
func (m *Messenger) Bring(
	ctx context.Context, e sqlapi.ClaimedExport, part sqlapi.ExportPart, name string, content io.ReaderAt, size int64,
) error {
	message := screen.ExportPart(m.texts.In(e.Language), e, part).Message(int64(e.AdminID))
	message.Document = &telegram.Document{Name: name, Size: size, Content: content}
	message.Urgency = telegram.Bulk
	return m.send(ctx, message)
}

func (m *Messenger) send(ctx context.Context, message telegram.Message) error {
	_, err := m.sender.Send(ctx, message)
	switch telegram.Classify(err) {
	case telegram.Delivered:
		return nil
	case telegram.Unreachable:
		return &undelivered{err: err, isUnreachable: true}
	case telegram.Throttled, telegram.NotSent: // Telegram says "later", or cannot be reached at all
		return &postponed{undelivered: undelivered{err: err}, wait: max(telegram.RetryAfter(err), minWait)}
	case telegram.Refused:
		return &undelivered{err: err}
	default:
		return fmt.Errorf("unknown whether it arrived: %w", err)
	}
}

// templates are the messages that SQL writes, by the names it gives them.
var templates = map[string]func(t *i18n.Text, arguments json.RawMessage) (screen.Screen, error){
	"key_ready":           keyReady,
	"key_failed":          without(screen.KeyFailed),
	"payment_applied":     with(screen.PaymentApplied),
	"payment_credited":    with(screen.PaymentCredited),
	"referral_joined":     without(screen.ReferralJoined),
	"admin_alarm":         with(screen.Alarm),
	"component_down":      with(screen.ComponentDown),
	"component_up":        with(screen.ComponentUp),
	"activation_failed":   with(screen.ActivationFailed),
	"broadcast_done":      with(screen.BroadcastDone),
	"corporate_requested": with(screen.CorporateRequested),

	"trial_6h":             without(screen.TrialAfterHours),
	"trial_48h":            with(screen.TrialAfterDays),
	"trial_ending":         with(screen.TrialEnding),
	"trial_ended":          without(screen.TrialEnded),
	"subscription_expired": with(screen.SubscriptionExpired),
	"reminder_3d":          with(screen.Reminder("notice.reminder_3d")),
	"reminder_24h":         with(screen.Reminder("notice.reminder_24h")),
	"reminder_6h":          with(screen.Reminder("notice.reminder_6h")),
	"reminder_3h":          with(screen.Reminder("notice.reminder_3h")),
	"renewal_done":         with(screen.RenewalDone),
	"renewal_declined":     with(screen.RenewalDeclined),
	"time_granted":         with(screen.TimeGranted),
	"subscription_revoked": with(screen.SubscriptionRevoked),

	"refunded":             with(screen.Refunded),
	"payment_reversed":     with(screen.PaymentReversed),
	"promo_used_up":        with(screen.PromoUsedUp),
	"referral_trial":       without(screen.ReferralTrial),
	"cashback":             with(screen.Cashback),
	"cashback_clawed_back": with(screen.CashbackClawedBack),
	"withdrawal_requested": with(screen.WithdrawalRequested),
	"withdrawal_approved":  with(screen.WithdrawalApproved),
	"withdrawal_rejected":  with(screen.WithdrawalRejected),
}

// awaited are the messages that somebody is waiting for, because of what they did a moment ago. All others let these, and
// the bot's answers, go first.
var awaited = map[string]bool{
	"key_ready": true, "key_failed": true, "payment_applied": true, "payment_credited": true, "refunded": true,
	"admin_alarm": true, "activation_failed": true, "corporate_requested": true, "withdrawal_requested": true, "withdrawal_approved": true,
	"withdrawal_rejected": true,
}

func draw(t *i18n.Text, template string, arguments json.RawMessage) (screen.Screen, error) {
	drawTemplate := templates[template]
	if drawTemplate == nil {
		return screen.Screen{}, fmt.Errorf("no template %q", template)
	}
	s, err := drawTemplate(t, arguments)
	if err != nil {
		return screen.Screen{}, fmt.Errorf("template %q: %w", template, err)
	}
	return s, nil
}

// keyReady refuses to bring a key that is not there: the identity was replaced meanwhile, and its key has its own message.
func keyReady(t *i18n.Text, arguments json.RawMessage) (screen.Screen, error) {
	var args screen.KeyReadyArgs
	if err := json.Unmarshal(arguments, &args); err != nil || args.KeyURI == "" {
		return screen.Screen{}, errNoKey
	}
	return screen.KeyReady(t, args), nil
}

// with makes a template of a screen with arguments. An error of decoding could quote a key: only its type is told.
func with[A any](build func(t *i18n.Text, args A) screen.Screen) func(*i18n.Text, json.RawMessage) (screen.Screen, error) {
	return func(t *i18n.Text, arguments json.RawMessage) (screen.Screen, error) {
		var args A
		if err := json.Unmarshal(arguments, &args); err != nil {
			return screen.Screen{}, fmt.Errorf("arguments do not fit: %T", err)
		}
		return build(t, args), nil
	}
}

func without(build func(t *i18n.Text) screen.Screen) func(*i18n.Text, json.RawMessage) (screen.Screen, error) {
	return func(t *i18n.Text, _ json.RawMessage) (screen.Screen, error) { return build(t), nil }
}
