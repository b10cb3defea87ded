package harness

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/sandbox/postgres"
)

// statements is what the tests of this binary have executed of the PL/pgSQL functions. The profiler of plpgsql_check
// counts in the server's shared memory, by database: each test's counts are read before its database is dropped.
var statements struct {
	mu       sync.Mutex
	isWanted bool
	isOn     bool
	all      map[string]int          // statements of each function
	executed map[string]map[int]bool // by function and number
}

// CountStatements has the shared server count which statements of the PL/pgSQL functions are executed. It prefers a
// server made of programs on this machine, and counts nothing where plpgsql_check is not installed. Call it before Run.
func CountStatements() {
	statements.mu.Lock()
	defer statements.mu.Unlock()
	statements.isWanted = true
	statements.all, statements.executed = map[string]int{}, map[string]map[int]bool{}
}

// profiled starts a local server that counts statements; nil where none is wanted or possible.
func profiled(ctx context.Context) *server {
	statements.mu.Lock()
	defer statements.mu.Unlock()
	if !statements.isWanted || !only("local") {
		return nil
	}
	s, err := localPostgres(ctx, postgres.Options{Settings: map[string]string{
		"shared_preload_libraries": "plpgsql_check", "plpgsql_check.profiler": "on",
		"plpgsql_check.profiler_max_shared_chunks": "50000"}})
	if err != nil {
		return nil // without the library there is no start: the usual ways follow
	}
	statements.isOn = true
	return s
}

const (
	ourFunctions = `
		select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
		where l.lanname = 'plpgsql' and n.nspname !~ '^pg_|^information_schema$|^public$'`

	allStatements = `
		select f.oid::regproc::text, count(*)::int from (` + ourFunctions + `) f
		cross join lateral plpgsql_profiler_function_statements_tb(f.oid) s group by 1`

	executedStatements = `
		select f.oid::regproc::text, s.stmtid from (` + ourFunctions + `) f
		join plpgsql_profiler_functions_all() a on a.funcoid = f.oid
		cross join lateral plpgsql_profiler_function_statements_tb(f.oid) s where s.exec_stmts > 0`

	forgetStatements = `select plpgsql_profiler_reset(a.funcoid) from plpgsql_profiler_functions_all() a`
)

// collect adds what was executed in a database.
func (s *server) collect(ctx context.Context, database string) error {
	statements.mu.Lock()
	defer statements.mu.Unlock()
	if !statements.isOn {
		return nil
	}
	conn, err := pgx.Connect(ctx, s.dsn(Superuser, database))
	if err != nil {
		return fmt.Errorf("count statements: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "create extension if not exists plpgsql_check"); err != nil {
		return fmt.Errorf("count statements: %w", err)
	}
	if len(statements.all) == 0 {
		if err := each(ctx, conn, allStatements, func(function string, n int) { statements.all[function] = n }); err != nil {
			return err
		}
	}
	err = each(ctx, conn, executedStatements, func(function string, id int) {
		if statements.executed[function] == nil {
			statements.executed[function] = map[int]bool{}
		}
		statements.executed[function][id] = true
	})
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, forgetStatements); err != nil {
		return fmt.Errorf("count statements: %w", err)
	}
	return nil
}

func each(ctx context.Context, conn *pgx.Conn, query string, take func(function string, n int)) error {
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("count statements: %w", err)
	}
	var function string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&function, &n}, func() error {
		take(function, n)
		return nil
	})
	if err != nil {
		return fmt.Errorf("count statements: %w", err)
	}
	return nil
}

// Coverage is how many statements of the PL/pgSQL functions were executed.
type Coverage struct {
	Statements, Executed int
	// Functions are the shares by function.
	Functions map[string]float64
}

// StatementCoverage is the coverage of the tests that have ended; nil when nothing was counted.
func StatementCoverage() *Coverage {
	statements.mu.Lock()
	defer statements.mu.Unlock()
	if len(statements.all) == 0 {
		return nil
	}
	c := &Coverage{Functions: map[string]float64{}}
	for function, n := range statements.all {
		executed := len(statements.executed[function])
		c.Statements += n
		c.Executed += executed
		c.Functions[function] = float64(executed) / float64(n)
	}
	return c
}

// Share is between 0 and 1.
func (c *Coverage) Share() float64 { return float64(c.Executed) / float64(c.Statements) }

// Report is the whole in one line, then a line for each function with a smaller share than this.
func (c *Coverage) Report(below float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "PL/pgSQL statement coverage: %.1f %% (%d of %d statements)\n", 100*c.Share(), c.Executed, c.Statements)
	for _, function := range slices.Sorted(maps.Keys(c.Functions)) {
		if share := c.Functions[function]; share < below {
			fmt.Fprintf(&b, "  %5.1f %%  %s\n", 100*share, function)
		}
	}
	return b.String()
}
