package sqlapi

import (
	"context"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
)

// call is one SQL constant and what can be read from it.
type call struct {
	sql      string
	function string   // "billing.open_purchase", or the name of a view
	params   []string // "p_telegram_id", …; none for a view
	columns  []string // of the answer
	isView   bool
	// isClaim marks calls that hand out work: a repeat would hand out other work, so that a lost answer is not asked for
	// again; what it handed out comes back when its lease ends.
	isClaim bool
	// isRead marks calls of the screens that write nothing and wait for no lock: they need neither the correlation id nor
	// the timeouts, and are sent alone (see send).
	isRead bool
}

// calls has every call of the package; CheckFunctions and the tests go through it, so that none can be forgotten.
var calls []*call

var (
	selectForm   = regexp.MustCompile(`(?s)^select(?: (.+?))?\s+from (\w+\.\w+)(\()?`)
	paramForm    = regexp.MustCompile(`(p_\w+) => @(\w+)`)
	aliasForm    = regexp.MustCompile(`(?: as |^)(\w+)$`)
	parensForm   = regexp.MustCompile(`\([^()]*\)`)
	columnsSplit = regexp.MustCompile(`\s*,\s*`)
)

// define reads a constant. It panics at start-up, in every test, for a constant that is not of the one form allowed.
func define(sql string, isClaim bool) *call {
	parts := selectForm.FindStringSubmatch(sql)
	if parts == nil {
		panic("sqlapi: not of the form `select columns from schema.function(p_x => @p_x)`: " + sql)
	}
	c := &call{sql: sql, function: parts[2], isView: parts[3] == "", isClaim: isClaim}
	for _, param := range paramForm.FindAllStringSubmatch(sql, -1) {
		if param[1] != param[2] {
			panic("sqlapi: parameter and argument differ in " + sql)
		}
		c.params = append(c.params, param[1])
	}
	if parts[1] == "" {
		calls = append(calls, c)
		return c // a function that answers nothing
	}
	for _, column := range columnsSplit.Split(parensForm.ReplaceAllString(parts[1], ""), -1) {
		alias := aliasForm.FindStringSubmatch(column)
		if alias == nil {
			panic("sqlapi: a column without a name in " + sql)
		}
		c.columns = append(c.columns, alias[1])
	}
	calls = append(calls, c)
	return c
}

// reading marks the call as one that only reads.
func (c *call) reading() *call {
	c.isRead = true
	return c
}

// actor is who asks and about what, for audit.refused.
type actor struct {
	id      atlas.TelegramID
	subject string
}

// one calls a function that answers with exactly one row.
func one[T any](ctx context.Context, db *DB, c *call, args pgx.StrictNamedArgs, who actor) (T, error) {
	var answer T
	err := db.do(ctx, c, args, who, func(rows pgx.Rows) (err error) {
		answer, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
		return err //nolint:wrapcheck // translated in do
	})
	return answer, err
}

// many calls a function that answers with any number of rows.
func many[T any](ctx context.Context, db *DB, c *call, args pgx.StrictNamedArgs, who actor) ([]T, error) {
	var answer []T
	err := db.do(ctx, c, args, who, func(rows pgx.Rows) (err error) {
		answer, err = pgx.CollectRows(rows, pgx.RowToStructByName[T])
		return err //nolint:wrapcheck // translated in do
	})
	return answer, err
}

// do runs a call with retries, maps its error, and has refusals recorded.
func (db *DB) do(
	ctx context.Context, c *call, args pgx.StrictNamedArgs, who actor, collect func(pgx.Rows) error,
) error {
	start := time.Now()
	err := db.retry(ctx, c, func() error { return db.send(ctx, c, args, collect) })
	if err != nil {
		err = translate(c.function, err)
	}
	db.metrics.observe(c.function, time.Since(start), err)
	if code := auditedCode(err); code != "" && c != auditRefused {
		db.recordRefusal(ctx, c.function, who, code)
	}
	return err
}

const refusalTimeout = 5 * time.Second

// recordRefusal writes the audit row that the refused transaction could not write itself. It outlives the caller's
// deadline, and failing changes nothing for the caller.
func (db *DB) recordRefusal(ctx context.Context, action string, who actor, code string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refusalTimeout)
	defer cancel()
	attrs := []any{
		obs.Operation(action), obs.Outcome(obs.OutcomeRefused), "sqlstate", code, obs.FieldTelegramID, int64(who.id),
	}
	if err := db.Audit.Refused(ctx, who.id, action, who.subject, code); err != nil {
		db.log.ErrorContext(ctx, "a refusal could not be recorded", append(attrs, obs.Err(err))...)
		return
	}
	db.log.WarnContext(ctx, "refused", append(attrs, "subject_id", who.subject)...)
}

// textOrNull sends "" as null.
func textOrNull(text string) *string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return &text
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// about is an actor who acts on himself.
func about(user atlas.TelegramID) actor {
	return actor{id: user, subject: strconv.FormatInt(int64(user), 10)}
}

// aboutPurchase is a user who acts on a purchase.
func aboutPurchase(user atlas.TelegramID, purchase atlas.PurchaseID) actor {
	return actor{id: user, subject: string(purchase)}
}

// byAdmin is an admin who acts on a user.
func byAdmin(admin, user atlas.TelegramID) actor {
	return actor{id: admin, subject: strconv.FormatInt(int64(user), 10)}
}

// aboutWithdrawal is somebody who acts on a withdrawal.
func aboutWithdrawal(who atlas.TelegramID, withdrawalID int64) actor {
	return actor{id: who, subject: "withdrawal:" + strconv.FormatInt(withdrawalID, 10)}
}

// bySystem is for calls that nobody can be refused.
func bySystem() actor { return actor{} }

// numberOrNull sends 0 as null.
func numberOrNull(number int64) *int64 {
	if number == 0 {
		return nil
	}
	return &number
}

// money logs a money event about a user, after the commit.
func (db *DB) money(ctx context.Context, event obs.MoneyEvent, user atlas.TelegramID, attrs ...slog.Attr) {
	obs.Money(ctx, db.log, event, append(attrs, slog.Int64(obs.FieldTelegramID, int64(user)))...)
}

// maxReason is how much of an error's text is kept, in bytes.
const maxReason = 1000

// clip makes an error's text fit to be stored: redacted, valid, without NUL, not too long.
func clip(reason string) string {
	reason = strings.ReplaceAll(strings.ToValidUTF8(obs.Redact(reason), "?"), "\x00", "?")
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "")
	}
	return reason
}
