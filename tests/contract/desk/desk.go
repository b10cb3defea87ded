// Package desk is a DBA's desk for tests from outside: it calls the functions of the SQL contract by name, with their
// parameters by name, and gives their answers back in plain Go values.
package desk

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// patience is how long one call may take before the test fails.
const patience = 30 * time.Second

// Conn is what a call goes through: a pool, a connection or a transaction.
type Conn interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// A holds arguments by parameter name.
type A map[string]any

// With gives the same arguments with one of them changed.
func (a A) With(name string, value any) A {
	changed := A{name: value}
	for k, v := range a {
		if k != name {
			changed[k] = v
		}
	}
	return changed
}

// Row is one row of an answer by column name. Integers of any width are int, uuids text, times UTC.
type Row map[string]any

// Desk calls functions through one connection or pool.
type Desk struct {
	testing.TB
	Conn Conn
}

// On gives a desk for a subtest, or for another connection.
func (d *Desk) On(t testing.TB, conn Conn) *Desk { return &Desk{TB: t, Conn: conn} }

// Try calls a function and gives its rows, or the error as it came.
func (d *Desk) Try(function string, args A) ([]Row, error) {
	names := make([]string, 0, len(args))
	for name := range args {
		names = append(names, name)
	}
	sort.Strings(names)
	list := make([]string, len(names))
	values := make([]any, len(names))
	for i, name := range names {
		list[i] = fmt.Sprintf("%s => $%d", name, i+1)
		values[i] = args[name]
	}
	return d.TryQuery(fmt.Sprintf("select * from %s(%s)", function, strings.Join(list, ", ")), values...)
}

// TryQuery runs any SQL and gives its rows, or the error as it came.
func (d *Desk) TryQuery(sql string, args ...any) ([]Row, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	found, err := d.Conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	rows := []Row{}
	for found.Next() {
		values, err := found.Values()
		if err != nil {
			return nil, err
		}
		row := Row{}
		for i, column := range found.FieldDescriptions() {
			row[column.Name] = Plain(values[i])
		}
		rows = append(rows, row)
	}
	return rows, found.Err()
}

// All calls a function that must not refuse and gives its rows.
func (d *Desk) All(function string, args A) []Row {
	d.Helper()
	rows, err := d.Try(function, args)
	require.NoError(d, err, "%s %v", function, args)
	return rows
}

// One calls a function that must give exactly one row.
func (d *Desk) One(function string, args A) Row {
	d.Helper()
	rows := d.All(function, args)
	require.Len(d, rows, 1, "%s %v", function, args)
	return rows[0]
}

// Refused calls a function that must raise the SQLSTATE, and gives the error for a closer look.
func (d *Desk) Refused(code, function string, args A) *pgconn.PgError {
	d.Helper()
	_, err := d.Try(function, args)
	require.Equal(d, code, Code(err), "%s %v: %v", function, brief(args), err)
	Met(function, code)
	var refusal *pgconn.PgError
	errors.As(err, &refusal)
	return refusal
}

// seen are the refusals that Refused has met, by function and SQLSTATE.
var seen sync.Map

// Met notes a refusal that was met by another way than Refused.
func Met(function, code string) { seen.Store(function+" "+code, true) }

// Seen tells whether Refused has met a function's refusal in this process.
func Seen(function, code string) bool {
	_, ok := seen.Load(function + " " + code)
	return ok
}

// Query runs any SQL that must succeed.
func (d *Desk) Query(sql string, args ...any) []Row {
	d.Helper()
	rows, err := d.TryQuery(sql, args...)
	require.NoError(d, err, sql)
	return rows
}

// Value gives the one value of the one row that a query must give.
func (d *Desk) Value(sql string, args ...any) any {
	d.Helper()
	rows := d.Query(sql, args...)
	require.Len(d, rows, 1, sql)
	require.Len(d, rows[0], 1, sql)
	for _, value := range rows[0] {
		return value
	}
	return nil
}

// Code is the SQLSTATE of an error; empty for none, the error's own text for one that is not Postgres's.
func Code(err error) string {
	var refusal *pgconn.PgError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refusal):
		return refusal.Code
	default:
		return err.Error()
	}
}

// Plain makes a value of an answer plain: integers of any width int, uuids text, times UTC.
func Plain(value any) any {
	switch v := value.(type) {
	case int16:
		return int(v)
	case int32:
		return int(v)
	case int64:
		return int(v)
	case time.Time:
		return v.UTC()
	case [16]byte:
		return fmt.Sprintf("%x-%x-%x-%x-%x", v[0:4], v[4:6], v[6:8], v[8:10], v[10:16])
	case []any:
		for i := range v {
			v[i] = Plain(v[i])
		}
		return v
	default:
		return v
	}
}

// brief keeps a failing 10 KB argument from filling the screen.
func brief(args A) A {
	short := A{}
	for k, v := range args {
		if text, ok := v.(string); ok && len(text) > 80 {
			v = fmt.Sprintf("%q… (%d bytes)", text[:40], len(text))
		}
		short[k] = v
	}
	return short
}
