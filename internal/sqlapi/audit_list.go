package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// AuditEvent is something that was done. ActorID is 0 for the system and the owner of the database; ActorName may be empty.
type AuditEvent struct {
	EventID    string           `db:"event_id"`
	OccurredAt time.Time        `db:"occurred_at"`
	ActorID    atlas.TelegramID `db:"actor_id"`
	ActorName  string           `db:"actor_name"`
	Action     string           `db:"action"`
	SubjectID  string           `db:"subject_id"`
	Details    map[string]any   `db:"details"`
}

// AuditFilter says whose events are wanted: those by an actor (0: by anybody), those done to a user (0: to anybody), before
// an event (empty: the newest).
type AuditFilter struct {
	Actor   atlas.TelegramID
	Subject atlas.TelegramID
	Before  string
}

var auditList = define(`select event_id, occurred_at, coalesce(actor_id, 0) as actor_id,
  coalesce(actor_name, '') as actor_name, action, coalesce(subject_id, '') as subject_id, details
from audit.list(p_admin_id => @p_admin_id, p_actor_id => @p_actor_id, p_subject_id => @p_subject_id,
  p_before_id => @p_before_id, p_limit => @p_limit)`, false).reading()

// List reads what was done, newest first. atlas.ErrBadArgument: there is no event to begin before.
func (a Audit) List(ctx context.Context, admin atlas.TelegramID, f AuditFilter, limit int) ([]AuditEvent, error) {
	var subject *string
	if f.Subject != 0 {
		subject = textOrNull(about(f.Subject).subject)
	}
	return many[AuditEvent](ctx, a.db, auditList, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_actor_id": numberOrNull(int64(f.Actor)), "p_subject_id": subject,
		"p_before_id": textOrNull(f.Before), "p_limit": limit,
	}, about(admin))
}
