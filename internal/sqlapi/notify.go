package sqlapi

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// Notify holds the functions of schema notify: the outbox of messages to people.
type Notify struct{ db *DB }

// Message is one message to send, held under a lease. Template names a text of the catalogues; Arguments are raw numbers
// and ISO times for it, and a key's link in key_ready: never log them.
type Message struct {
	MessageID     int64            `db:"message_id"`
	TelegramID    atlas.TelegramID `db:"telegram_id"`
	Template      string           `db:"template"`
	Arguments     json.RawMessage  `db:"arguments"`
	LeaseToken    string           `db:"lease_token"`
	Language      atlas.Language   `db:"language"`
	CorrelationID string           `db:"correlation_id"`
}

var notifyClaim = define(`select message_id, telegram_id, template, arguments, lease_token, language,
  coalesce(correlation_id, '') as correlation_id
from notify.claim(p_holder => @p_holder, p_limit => @p_limit, p_lease => @p_lease)`, true)

// Claim takes messages under a lease. Whoever claims one sends it once; see Sent and Failed.
func (n Notify) Claim(ctx context.Context, holder string, limit int, lease time.Duration) ([]Message, error) {
	return many[Message](ctx, n.db, notifyClaim, pgx.StrictNamedArgs{
		"p_holder": holder, "p_limit": limit, "p_lease": lease,
	}, bySystem())
}

var notifySent = define(`select message_id, is_recorded
from notify.sent(p_message_id => @p_message_id, p_lease_token => @p_lease_token)`, false)

type closedMessage struct {
	MessageID  int64 `db:"message_id"`
	IsRecorded bool  `db:"is_recorded"`
}

// Sent records that Telegram took the message. False means that the lease had run out.
func (n Notify) Sent(ctx context.Context, message Message) (bool, error) {
	answer, err := one[closedMessage](ctx, n.db, notifySent, pgx.StrictNamedArgs{
		"p_message_id": message.MessageID, "p_lease_token": message.LeaseToken,
	}, bySystem())
	return answer.IsRecorded, err
}

var notifyFailed = define(`select message_id, is_recorded
from notify.failed(p_message_id => @p_message_id, p_lease_token => @p_lease_token, p_error => @p_error,
  p_is_unreachable => @p_is_unreachable)`, false)

// Failed records that certainly nothing was delivered. isUnreachable means that the user has blocked the bot. For an
// unknown outcome call neither Sent nor Failed. False means that the lease had run out.
func (n Notify) Failed(ctx context.Context, message Message, reason string, isUnreachable bool) (bool, error) {
	answer, err := one[closedMessage](ctx, n.db, notifyFailed, pgx.StrictNamedArgs{
		"p_message_id":     message.MessageID,
		"p_lease_token":    message.LeaseToken,
		"p_error":          clip(reason),
		"p_is_unreachable": isUnreachable,
	}, bySystem())
	return answer.IsRecorded, err
}

var notifyRelease = define(`select message_id, is_recorded
from notify.release(p_message_id => @p_message_id, p_lease_token => @p_lease_token, p_error => @p_error,
  p_wait => @p_wait)`, false)

// maxRelease is the longest wait that notify.release takes.
const maxRelease = 24 * time.Hour

// Release gives a message back that certainly was not sent, through no fault of its own; it costs no attempt. False means
// that the lease had run out.
func (n Notify) Release(ctx context.Context, message Message, reason string, wait time.Duration) (bool, error) {
	answer, err := one[closedMessage](ctx, n.db, notifyRelease, pgx.StrictNamedArgs{
		"p_message_id":  message.MessageID,
		"p_lease_token": message.LeaseToken,
		"p_error":       clip(reason),
		"p_wait":        min(wait, maxRelease),
	}, bySystem())
	return answer.IsRecorded, err
}

type enqueuedCount struct {
	Enqueued int `db:"enqueued"`
}

var notifyEnqueueDue = define(`select enqueued
from notify.enqueue_due(p_epoch => @p_epoch, p_limit => @p_limit)`, false)

// EnqueueDue queues reminders and the messages of trials. A nil epoch means by hand.
func (n Notify) EnqueueDue(ctx context.Context, epoch *int64, limit int) (int, error) {
	answer, err := one[enqueuedCount](ctx, n.db, notifyEnqueueDue, pgx.StrictNamedArgs{
		"p_epoch": epoch, "p_limit": limit,
	}, bySystem())
	return answer.Enqueued, err
}
