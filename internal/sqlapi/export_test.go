package sqlapi

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Call is what tests see of a SQL constant.
type Call struct {
	Function, SQL string
	IsRead        bool
}

// Calls gives every SQL constant with its parameters numbered, as the server sees it.
func Calls(ctx context.Context) ([]Call, error) {
	all := make([]Call, 0, len(calls))
	for _, c := range calls {
		args := pgx.NamedArgs{}
		for _, param := range c.params {
			args[param] = nil
		}
		sql, _, err := args.RewriteQuery(ctx, nil, c.sql, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, Call{Function: c.function, SQL: sql, IsRead: c.isRead})
	}
	return all, nil
}

// Pool lets tests look at the sessions that calls used.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }
