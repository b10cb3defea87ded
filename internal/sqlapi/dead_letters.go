package sqlapi

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// ListedLetter is what a job or a handler gave up, in a list.
type ListedLetter struct {
	DeadID  int64     `db:"dead_id"`
	JobName string    `db:"job_name"`
	Subject string    `db:"subject"`
	Error   string    `db:"error"`
	DiedAt  time.Time `db:"died_at"`
}

// DeadLetter is what a job or a handler gave up. TelegramID is whom it is about, 0 where that is not known.
type DeadLetter struct {
	ListedLetter
	TelegramID atlas.TelegramID `db:"telegram_id"`
}

var opsListDeadLetters = define(`select dead_id, job_name, subject, error, died_at
from ops.list_dead_letters(p_admin_id => @p_admin_id, p_before => @p_before, p_limit => @p_limit)`, false).reading()

// ListDeadLetters lists a page of them, newest first, from before a number; 0 for the first page.
func (o Ops) ListDeadLetters(ctx context.Context, admin atlas.TelegramID, before int64, limit int) ([]ListedLetter, error) {
	return many[ListedLetter](ctx, o.db, opsListDeadLetters, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_before": numberOrNull(before), "p_limit": limit,
	}, about(admin))
}

var opsShowDeadLetter = define(`select dead_id, job_name, subject, error, died_at, coalesce(telegram_id, 0) as telegram_id
from ops.show_dead_letter(p_admin_id => @p_admin_id, p_dead_id => @p_dead_id)`, false).reading()

// ShowDeadLetter reads one; false if it is not there any more.
func (o Ops) ShowDeadLetter(ctx context.Context, admin atlas.TelegramID, id int64) (DeadLetter, bool, error) {
	rows, err := many[DeadLetter](ctx, o.db, opsShowDeadLetter, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_dead_id": id,
	}, aboutLetter(admin, id))
	if err != nil || len(rows) == 0 {
		return DeadLetter{}, false, err
	}
	return rows[0], true, nil
}

type droppedLetter struct {
	DeadID    int64 `db:"dead_id"`
	IsDropped bool  `db:"is_dropped"`
}

var opsDropDeadLetter = define(`select dead_id, is_dropped
from ops.drop_dead_letter(p_admin_id => @p_admin_id, p_dead_id => @p_dead_id, p_note => @p_note)`, false)

// DropDeadLetter takes one out. False: it is not there any more.
func (o Ops) DropDeadLetter(ctx context.Context, admin atlas.TelegramID, id int64, note string) (bool, error) {
	answer, err := one[droppedLetter](ctx, o.db, opsDropDeadLetter, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_dead_id": id, "p_note": note,
	}, aboutLetter(admin, id))
	return answer.IsDropped, err
}

type retriedLetter struct {
	DeadID    int64 `db:"dead_id"`
	IsRetried bool  `db:"is_retried"`
}

var opsRetryDeadLetter = define(`select dead_id, is_retried
from ops.retry_dead_letter(p_admin_id => @p_admin_id, p_dead_id => @p_dead_id)`, false)

// RetryDeadLetter has it tried again. False: it is not there any more, or nothing is left to try.
func (o Ops) RetryDeadLetter(ctx context.Context, admin atlas.TelegramID, id int64) (bool, error) {
	answer, err := one[retriedLetter](ctx, o.db, opsRetryDeadLetter, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_dead_id": id,
	}, aboutLetter(admin, id))
	return answer.IsRetried, err
}

func aboutLetter(admin atlas.TelegramID, id int64) actor {
	return actor{id: admin, subject: "dead_letter:" + strconv.FormatInt(id, 10)}
}
