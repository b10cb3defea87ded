package sqlapi

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// Inbox holds the functions of schema inbox: updates of Telegram, taken in once and worked off in order per chat.
type Inbox struct{ db *DB }

// ReceivedUpdate is an update as it came. ChatID orders updates: those of one chat are worked off one at a time.
type ReceivedUpdate struct {
	UpdateID int64
	ChatID   int64
	Payload  json.RawMessage
}

type receivedCount struct {
	Received int `db:"received"`
}

var inboxReceive = define(`select received
from inbox.receive(p_update_ids => @p_update_ids, p_chat_ids => @p_chat_ids, p_payloads => @p_payloads)`, false)

// Receive stores updates and gives how many were new. Only then may the poller move its offset, or the webhook answer 200.
func (i Inbox) Receive(ctx context.Context, updates []ReceivedUpdate) (int, error) {
	updateIDs := make([]int64, len(updates))
	chatIDs := make([]int64, len(updates))
	payloads := make([]string, len(updates))
	for n, update := range updates {
		updateIDs[n], chatIDs[n], payloads[n] = update.UpdateID, update.ChatID, string(update.Payload)
	}
	answer, err := one[receivedCount](ctx, i.db, inboxReceive, pgx.StrictNamedArgs{
		"p_update_ids": updateIDs, "p_chat_ids": chatIDs, "p_payloads": payloads,
	}, bySystem())
	return answer.Received, err
}

// ClaimedUpdate is an update held under a lease, and what is known of the person whose private chat it came from.
type ClaimedUpdate struct {
	UpdateID    int64          `db:"update_id"`
	ChatID      int64          `db:"chat_id"`
	Payload     string         `db:"payload"`
	Attempt     int            `db:"attempt"`
	LeaseToken  string         `db:"lease_token"`
	Language    atlas.Language `db:"language"` // empty: nobody who is registered
	IsReachable bool           `db:"is_reachable"`
}

// CorrelationID is what everything that follows from the update carries.
func (u ClaimedUpdate) CorrelationID() string { return fmt.Sprintf("u%d", u.UpdateID) }

var inboxExchange = define(`select update_id, chat_id, payload, attempt, lease_token, coalesce(language, '') as language,
  coalesce(is_reachable, false) as is_reachable
from inbox.exchange(p_holder => @p_holder, p_done_ids => @p_done_ids, p_done_tokens => @p_done_tokens,
  p_limit => @p_limit, p_lease => @p_lease)`, true)

// Exchange records that updates were handled, and takes up to limit of the oldest that wait, one per chat at a time. Of those
// whose lease had run out somebody else has charge now. After an error hand the same ones in again; limit 0 takes none.
func (i Inbox) Exchange(
	ctx context.Context, holder string, done []ClaimedUpdate, limit int, lease time.Duration,
) ([]ClaimedUpdate, error) {
	ids, tokens := make([]int64, len(done)), make([]string, len(done))
	for n, update := range done {
		ids[n], tokens[n] = update.UpdateID, update.LeaseToken
	}
	return many[ClaimedUpdate](ctx, i.db, inboxExchange, pgx.StrictNamedArgs{
		"p_holder": holder, "p_done_ids": ids, "p_done_tokens": tokens, "p_limit": limit, "p_lease": lease,
	}, bySystem())
}

// FailedUpdate is the answer to a failure; an update that will not be tried again is among the dead letters.
type FailedUpdate struct {
	WillRetry     bool       `db:"will_retry"`
	NextAttemptAt *time.Time `db:"next_attempt_at"`
}

var inboxFailed = define(`select will_retry, next_attempt_at
from inbox.failed(p_update_id => @p_update_id, p_lease_token => @p_lease_token, p_error => @p_error)`, false)

// Failed records that handling an update failed.
func (i Inbox) Failed(ctx context.Context, update ClaimedUpdate, reason string) (FailedUpdate, error) {
	return one[FailedUpdate](ctx, i.db, inboxFailed, pgx.StrictNamedArgs{
		"p_update_id": update.UpdateID, "p_lease_token": update.LeaseToken, "p_error": clip(reason),
	}, bySystem())
}

type givenBackCount struct {
	GivenBack int `db:"given_back"`
}

var inboxGiveBack = define(`select given_back
from inbox.give_back(p_holder => @p_holder)`, false)

// GiveBack returns what this holder claimed and did not finish, when it is told to stop.
func (i Inbox) GiveBack(ctx context.Context, holder string) (int, error) {
	answer, err := one[givenBackCount](ctx, i.db, inboxGiveBack, pgx.StrictNamedArgs{"p_holder": holder}, bySystem())
	return answer.GivenBack, err
}
