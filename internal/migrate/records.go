package migrate

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// records runs a query whose columns are all texts; a null is an empty text.
func records(ctx context.Context, dsn, query string, args ...any) ([][]string, error) {
	var all [][]string
	err := withConn(ctx, dsn, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, query, args...)
		if err != nil {
			return fmt.Errorf("query: %w", err)
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]string, error) {
			values := make([]*string, len(row.FieldDescriptions()))
			into := make([]any, len(values))
			for i := range values {
				into[i] = &values[i]
			}
			if err := row.Scan(into...); err != nil {
				return nil, fmt.Errorf("read row: %w", err)
			}
			record := make([]string, len(values))
			for i, v := range values {
				if v != nil {
					record[i] = *v
				}
			}
			return record, nil
		})
		return explain(err)
	})
	return all, err
}
