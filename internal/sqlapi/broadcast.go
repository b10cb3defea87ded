package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// Broadcast holds the functions of schema broadcast: messages to many.
type Broadcast struct{ db *DB }

// BroadcastMessage is what one person is to get of a broadcast, held under a lease. Text is plain.
type BroadcastMessage struct {
	BroadcastID int64            `db:"broadcast_id"`
	TelegramID  atlas.TelegramID `db:"telegram_id"`
	Variant     string           `db:"variant"`
	Text        string           `db:"message"`
	LeaseToken  string           `db:"lease_token"`
	Language    atlas.Language   `db:"language"`
	Offer       string           `db:"offer"` // where its button leads: see OfferNone and the others
}

func (m BroadcastMessage) args() pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{
		"p_broadcast_id": m.BroadcastID, "p_telegram_id": int64(m.TelegramID), "p_lease_token": m.LeaseToken,
	}
}

var broadcastClaim = define(`select broadcast_id, telegram_id, variant, message, lease_token, language, offer
from broadcast.claim(p_holder => @p_holder, p_limit => @p_limit, p_lease => @p_lease)`, true)

// Claim marks people as being written to. Whoever claims one sends it once; see Sent and Failed. With neither, nobody
// sends it again.
func (b Broadcast) Claim(ctx context.Context, holder string, limit int, lease time.Duration) ([]BroadcastMessage, error) {
	return many[BroadcastMessage](ctx, b.db, broadcastClaim, pgx.StrictNamedArgs{
		"p_holder": holder, "p_limit": limit, "p_lease": lease,
	}, bySystem())
}

type closedRecipient struct {
	TelegramID int64 `db:"telegram_id"`
	IsRecorded bool  `db:"is_recorded"`
}

var broadcastSent = define(`select telegram_id, is_recorded
from broadcast.sent(p_broadcast_id => @p_broadcast_id, p_telegram_id => @p_telegram_id,
  p_lease_token => @p_lease_token)`, false)

// Sent records that Telegram took the message. False means that the attempt is not this one any more.
func (b Broadcast) Sent(ctx context.Context, message BroadcastMessage) (bool, error) {
	answer, err := one[closedRecipient](ctx, b.db, broadcastSent, message.args(), bySystem())
	return answer.IsRecorded, err
}

var broadcastFailed = define(`select telegram_id, is_recorded
from broadcast.failed(p_broadcast_id => @p_broadcast_id, p_telegram_id => @p_telegram_id,
  p_lease_token => @p_lease_token, p_error => @p_error, p_is_unreachable => @p_is_unreachable)`, false)

var broadcastRelease = define(`select telegram_id, is_recorded
from broadcast.release(p_broadcast_id => @p_broadcast_id, p_telegram_id => @p_telegram_id,
  p_lease_token => @p_lease_token, p_error => @p_error, p_wait => @p_wait)`, false)

// Release gives somebody back whom certainly nothing was sent to, through no fault of theirs; it costs no attempt. False
// means that the attempt is not this one any more.
func (b Broadcast) Release(ctx context.Context, message BroadcastMessage, reason string, wait time.Duration) (bool, error) {
	args := message.args()
	args["p_error"], args["p_wait"] = clip(reason), min(wait, maxRelease)
	answer, err := one[closedRecipient](ctx, b.db, broadcastRelease, args, bySystem())
	return answer.IsRecorded, err
}

// Failed records that certainly nothing was delivered. isUnreachable means that the user has blocked the bot. For an
// unknown outcome call neither Sent nor Failed. False means that the attempt is not this one any more.
func (b Broadcast) Failed(ctx context.Context, message BroadcastMessage, reason string, isUnreachable bool) (bool, error) {
	args := message.args()
	args["p_error"], args["p_is_unreachable"] = clip(reason), isUnreachable
	answer, err := one[closedRecipient](ctx, b.db, broadcastFailed, args, bySystem())
	return answer.IsRecorded, err
}
