package sqlapi

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// Where the button under a broadcast leads.
const (
	OfferNone   = "none"
	OfferBuy    = "buy"
	OfferTrial  = "trial"
	OfferStatus = "status"
	OfferKey    = "key"
)

// ComposeParams is a broadcast that an admin writes. Texts are plain; TextB is empty where there is one text only. An
// empty Offer is the one that fits Kind.
type ComposeParams struct {
	AdminID      atlas.TelegramID
	Title        string
	Kind         string
	Segment      string
	TextA, TextB string
	Offer        string
	Key          string
}

// ComposedBroadcast is a draft, and how many people its segment has; IsEstimate: about.
type ComposedBroadcast struct {
	BroadcastID int64 `db:"broadcast_id"`
	Recipients  int64 `db:"recipients"`
	IsReplay    bool  `db:"is_replay"`
	IsEstimate  bool  `db:"is_estimate"`
}

var broadcastCompose = define(`select broadcast_id, recipients, is_replay, is_estimate
from broadcast.compose(p_admin_id => @p_admin_id, p_title => @p_title, p_kind => @p_kind, p_segment => @p_segment,
  p_text_a => @p_text_a, p_text_b => @p_text_b, p_offer => @p_offer, p_idempotency_key => @p_idempotency_key)`, false)

// Compose keeps a broadcast as a draft.
func (b Broadcast) Compose(ctx context.Context, p ComposeParams) (ComposedBroadcast, error) {
	return one[ComposedBroadcast](ctx, b.db, broadcastCompose, pgx.StrictNamedArgs{
		"p_admin_id": int64(p.AdminID), "p_title": p.Title, "p_kind": p.Kind, "p_segment": p.Segment, "p_text_a": p.TextA,
		"p_text_b": textOrNull(p.TextB), "p_offer": textOrNull(p.Offer), "p_idempotency_key": p.Key,
	}, about(p.AdminID))
}

// MovedBroadcast is a broadcast that was started, paused or cancelled. IsReplay: it was already, by MovedBy.
type MovedBroadcast struct {
	BroadcastID int64            `db:"broadcast_id"`
	Status      string           `db:"status"`
	IsReplay    bool             `db:"is_replay"`
	MovedBy     atlas.TelegramID `db:"moved_by"`
	MovedAt     time.Time        `db:"moved_at"`
}

var broadcastLaunch = define(`select broadcast_id, status, is_replay, moved_by, moved_at
from broadcast.launch(p_admin_id => @p_admin_id, p_broadcast_id => @p_broadcast_id, p_starts_at => @p_starts_at,
  p_moved_at => @p_moved_at)`, false)

// LaunchParams starts a draft, or goes on with a paused one: at StartsAt, or at once if that is nil. MovedAt is what Show
// gave when this was decided.
type LaunchParams struct {
	AdminID     atlas.TelegramID
	BroadcastID int64
	StartsAt    *time.Time
	MovedAt     *time.Time
}

// Launch starts a broadcast. atlas.ErrBroadcastState: it is over, or somebody else was faster with something else.
func (b Broadcast) Launch(ctx context.Context, p LaunchParams) (MovedBroadcast, error) {
	return one[MovedBroadcast](ctx, b.db, broadcastLaunch, pgx.StrictNamedArgs{
		"p_admin_id": int64(p.AdminID), "p_broadcast_id": p.BroadcastID, "p_starts_at": p.StartsAt, "p_moved_at": p.MovedAt,
	}, aboutBroadcast(p.AdminID, p.BroadcastID))
}

var broadcastStart = define(`select broadcast_id, status, is_replay, moved_by, moved_at
from broadcast.start(p_admin_id => @p_admin_id, p_broadcast_id => @p_broadcast_id)`, false)

// Start goes on with a paused broadcast.
func (b Broadcast) Start(ctx context.Context, admin atlas.TelegramID, id int64) (MovedBroadcast, error) {
	return b.move(ctx, broadcastStart, admin, id)
}

var broadcastPause = define(`select broadcast_id, status, is_replay, moved_by, moved_at
from broadcast.pause(p_admin_id => @p_admin_id, p_broadcast_id => @p_broadcast_id)`, false)

// Pause stops sending for a while.
func (b Broadcast) Pause(ctx context.Context, admin atlas.TelegramID, id int64) (MovedBroadcast, error) {
	return b.move(ctx, broadcastPause, admin, id)
}

var broadcastCancel = define(`select broadcast_id, status, is_replay, moved_by, moved_at
from broadcast.cancel(p_admin_id => @p_admin_id, p_broadcast_id => @p_broadcast_id)`, false)

// Cancel ends a broadcast for good; a draft is thrown away.
func (b Broadcast) Cancel(ctx context.Context, admin atlas.TelegramID, id int64) (MovedBroadcast, error) {
	return b.move(ctx, broadcastCancel, admin, id)
}

func (b Broadcast) move(ctx context.Context, c *call, admin atlas.TelegramID, id int64) (MovedBroadcast, error) {
	return one[MovedBroadcast](ctx, b.db, c, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_broadcast_id": id,
	}, aboutBroadcast(admin, id))
}

// ListedBroadcast is one line of a list. IsBegun: its time has come.
type ListedBroadcast struct {
	BroadcastID int64      `db:"broadcast_id"`
	Title       string     `db:"title"`
	Kind        string     `db:"kind"`
	Segment     string     `db:"segment"`
	IsAB        bool       `db:"is_ab"`
	Status      string     `db:"status"`
	StartsAt    *time.Time `db:"starts_at"`
	IsBegun     bool       `db:"is_begun"`
	Sent        int64      `db:"sent"`
}

var broadcastList = define(`select broadcast_id, title, kind, segment, is_ab, status, starts_at, is_begun, sent
from broadcast.list(p_admin_id => @p_admin_id, p_state => @p_state, p_before_id => @p_before_id,
  p_limit => @p_limit)`, false).reading()

// List reads a page of the drafts, of those running, or of those that are over, newest first. before is the last one of
// the page before, or 0.
func (b Broadcast) List(ctx context.Context, admin atlas.TelegramID, state string, before int64, limit int) ([]ListedBroadcast, error) {
	return many[ListedBroadcast](ctx, b.db, broadcastList, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_state": state, "p_before_id": numberOrNull(before), "p_limit": limit,
	}, about(admin))
}

// ShownBroadcast is all that an admin sees of a broadcast. TextB, the names and MovedBy are empty where there are none;
// PerMinute is 0 when nothing is sent.
type ShownBroadcast struct {
	BroadcastID    int64            `db:"broadcast_id"`
	Title          string           `db:"title"`
	Kind           string           `db:"kind"`
	Segment        string           `db:"segment"`
	Offer          string           `db:"offer"`
	TextA          string           `db:"text_a"`
	TextB          string           `db:"text_b"`
	Status         string           `db:"status"`
	PreparedBy     atlas.TelegramID `db:"prepared_by"`
	PreparedByName string           `db:"prepared_by_name"`
	PreparedAt     time.Time        `db:"prepared_at"`
	StartsAt       *time.Time       `db:"starts_at"`
	IsBegun        bool             `db:"is_begun"`
	EndedAt        *time.Time       `db:"ended_at"`
	MovedBy        atlas.TelegramID `db:"moved_by"`
	MovedByName    string           `db:"moved_by_name"`
	MovedAt        *time.Time       `db:"moved_at"`
	Expected       int64            `db:"expected_people"`
	IsEstimate     bool             `db:"is_estimate"`
	SentA          int64            `db:"sent_a"`
	SentB          int64            `db:"sent_b"`
	PressedA       int64            `db:"pressed_a"`
	PressedB       int64            `db:"pressed_b"`
	Unreachable    int64            `db:"unreachable"`
	Failed         int64            `db:"failed"`
	Unknown        int64            `db:"unknown"`
	Left           int64            `db:"left_people"`
	PerMinute      int              `db:"people_per_minute"`
	EndsAt         *time.Time       `db:"ends_at"`
}

var broadcastShow = define(`select broadcast_id, title, kind, segment, offer, text_a, coalesce(text_b, '') as text_b, status,
  prepared_by, coalesce(prepared_by_name, '') as prepared_by_name, prepared_at, starts_at, is_begun, ended_at,
  coalesce(moved_by, 0) as moved_by, coalesce(moved_by_name, '') as moved_by_name, moved_at, expected_people,
  is_estimate, sent_a, sent_b, pressed_a, pressed_b, unreachable, failed, unknown, left_people,
  coalesce(people_per_minute, 0) as people_per_minute, ends_at
from broadcast.show(p_admin_id => @p_admin_id, p_broadcast_id => @p_broadcast_id)`, false).reading()

// Show reads a broadcast and how far it is. atlas.ErrNoSuchBroadcast.
func (b Broadcast) Show(ctx context.Context, admin atlas.TelegramID, id int64) (ShownBroadcast, error) {
	return one[ShownBroadcast](ctx, b.db, broadcastShow, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_broadcast_id": id,
	}, aboutBroadcast(admin, id))
}

type pressedBroadcast struct {
	BroadcastID int64  `db:"broadcast_id"`
	Offer       string `db:"offer"`
}

var broadcastNotePress = define(`select broadcast_id, offer
from broadcast.note_press(p_telegram_id => @p_telegram_id, p_broadcast_id => @p_broadcast_id)`, false)

// NotePress counts somebody who pressed the button under a broadcast, once, and says where it leads.
// atlas.ErrNoSuchBroadcast: they did not get it, or too long ago.
func (b Broadcast) NotePress(ctx context.Context, user atlas.TelegramID, id int64) (offer string, err error) {
	answer, err := one[pressedBroadcast](ctx, b.db, broadcastNotePress, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_broadcast_id": id,
	}, aboutBroadcast(user, id))
	return answer.Offer, err
}

// aboutBroadcast is somebody who acts on a broadcast.
func aboutBroadcast(who atlas.TelegramID, id int64) actor {
	return actor{id: who, subject: "broadcast:" + strconv.FormatInt(id, 10)}
}
