package sqlapi

import (
	"context"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// Audit holds the functions of schema audit.
type Audit struct{ db *DB }

var auditRefused = define(`select from audit.refused(p_actor_id => @p_actor_id, p_action => @p_action,
  p_subject_id => @p_subject_id, p_sqlstate => @p_sqlstate)`, false)

// Refused records that somebody was refused. Methods of this package call it themselves where the contract wants it; it
// is for refusals that were decided outside the database, such as a forged callback. An actor of 0 is nobody known.
func (a Audit) Refused(ctx context.Context, actorID atlas.TelegramID, action, subject, sqlstate string) error {
	return a.db.do(ctx, auditRefused, pgx.StrictNamedArgs{
		"p_actor_id":   numberOrNull(int64(actorID)),
		"p_action":     action,
		"p_subject_id": textOrNull(subject),
		"p_sqlstate":   sqlstate,
	}, bySystem(), discardRows)
}

func discardRows(rows pgx.Rows) error {
	rows.Close()
	return rows.Err()
}

// Seal is the head of the hash chain over ledger and audit rows after a run: Sealed rows were added, SealedRows are in it.
type Seal struct {
	Sealed     int    `db:"sealed"`
	SealedRows int64  `db:"sealed_rows"`
	Head       string `db:"head"`
}

var auditSeal = define(`select sealed, sealed_rows, coalesce(head, '') as head
from audit.seal(p_limit => @p_limit)`, false)

// Seal adds rows that have settled to the chain.
func (a Audit) Seal(ctx context.Context, limit int) (Seal, error) {
	return one[Seal](ctx, a.db, auditSeal, pgx.StrictNamedArgs{"p_limit": limit}, bySystem())
}
