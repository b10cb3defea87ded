package history

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"atlas-secure/tests/contract/desk"
)

// Conn is what calls go through: a pool or a connection, of whatever kind.
type Conn interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Call calls a function with its arguments by name and gives its rows by column, as package desk does: integers of any
// width are int, uuids text, times UTC. An answer counts only when the commit was reported.
func Call(ctx context.Context, conn Conn, function string, args map[string]any) ([]map[string]any, error) {
	names := slices.Sorted(maps.Keys(args))
	list, values := make([]string, len(names)), make([]any, len(names))
	for i, name := range names {
		list[i] = fmt.Sprintf("%s => $%d", name, i+1)
		values[i] = args[name]
	}
	found, err := conn.Query(ctx, "select * from "+function+"("+strings.Join(list, ", ")+")", values...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows []map[string]any
	for found.Next() {
		cells, err := found.Values()
		if err != nil {
			return nil, err
		}
		row := map[string]any{}
		for i, column := range found.FieldDescriptions() {
			row[column.Name] = desk.Plain(cells[i])
		}
		rows = append(rows, row)
	}
	return rows, found.Err()
}

// IsWorkers says whether the worker's login calls the function; the bot's calls the others.
func IsWorkers(function string) bool {
	return strings.HasPrefix(function, "vpn.") && function != "vpn.reissue" || strings.HasPrefix(function, "notify.") ||
		strings.HasSuffix(function, "_due") || strings.HasPrefix(function, "audit.")
}
