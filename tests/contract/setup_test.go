// Package contract_test holds the SQL contract to its word: every function's answers, refusals, replays and rights,
// and the rules of the business behind them, against a real database.
package contract_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
	"atlas-secure/tests/harness"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if !isSet("test.parallel") { // the tests wait for the server, not for this process
		if err := flag.Set("test.parallel", "8"); err != nil {
			panic(err)
		}
	}
	harness.CountStatements()
	code := harness.Run(m)
	if code == 0 && isWholeRun() {
		if missing := refusalsNeverSeen(); len(missing) > 0 {
			fmt.Fprintf(os.Stderr, "FAIL: refusals in headers that no test provokes:\n  %s\n", strings.Join(missing, "\n  "))
			code = 1
		}
		if missing := checksNeverProven(); len(missing) > 0 {
			fmt.Fprintf(os.Stderr, "FAIL: checks of reconcile that no planted fault proves:\n  %s\n", strings.Join(missing, "\n  "))
			code = 1
		}
	}
	if isWholeRun() && !isCovered() {
		code = max(code, 1)
	}
	os.Exit(code)
}

// Shares of the PL/pgSQL statements that the tests of this package have to execute: of all, and of a function for not
// being named.
const (
	wantedShare = 0.95
	namedBelow  = 0.90
)

// isCovered says how much of the PL/pgSQL code was executed, and whether it is enough. The report goes to the file named
// by ATLAS_COVERAGE_FILE too: gotestsum keeps to itself what packages print.
func isCovered() bool {
	coverage := harness.StatementCoverage()
	if coverage == nil {
		fmt.Println("PL/pgSQL statement coverage: not counted, the server has no plpgsql_check")
		return true
	}
	report := coverage.Report(namedBelow)
	fmt.Print(report)
	if file := os.Getenv("ATLAS_COVERAGE_FILE"); file != "" {
		if err := os.WriteFile(file, []byte(report), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return false
		}
	}
	if coverage.Share() < wantedShare {
		fmt.Fprintf(os.Stderr, "FAIL: the tests have to execute %.0f %% of the PL/pgSQL statements\n", 100*wantedShare)
		return false
	}
	return true
}

func isSet(name string) bool {
	found := false
	flag.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// isWholeRun tells whether no flag leaves tests out.
func isWholeRun() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if flag.Lookup(name).Value.String() != "" {
			return false
		}
	}
	return true
}

// The short names of the packages's most used things.
type (
	// A holds arguments by parameter name.
	A = desk.A
	// Row is one row of an answer.
	Row = desk.Row
)

const (
	boss    = desk.Boss
	anna    = desk.Anna
	bert    = desk.Bert
	nobody  = 999
	unknown = "00000000-0000-4000-8000-000000000000"
)

// bundle is a database of its own, seen by a DBA (the embedded desk, which calls functions) and by the owner (who
// may look at tables, stop the clock and spoil the books).
type bundle struct {
	*desk.Desk
	owner   *desk.Desk
	harness *harness.Bundle
}

// setup gives a test a shop: an admin, two customers, the first of them with 1000 roubles.
func setup(t *testing.T) *bundle {
	t.Helper()
	b := deserted(t)
	b.Shop()
	return b
}

// deserted is a database in which nobody has registered yet.
func deserted(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	h := harness.New(t)
	return &bundle{
		Desk:    &desk.Desk{TB: t, Conn: h.DBA},
		owner:   &desk.Desk{TB: t, Conn: h.Owner},
		harness: h,
	}
}

func (b *bundle) pools() map[string]*pgxpool.Pool {
	h := b.harness
	return map[string]*pgxpool.Pool{
		"bot": h.Bot, "payments": h.Payments, "admin": h.Admin, "worker": h.Worker, "auditor": h.Auditor, "dba": h.DBA}
}

// count is the number of rows that a table expression has.
func (b *bundle) count(from string, args ...any) int {
	b.Helper()
	return b.owner.Value("select count(*) from "+from, args...).(int)
}

// messages are the templates in a user's outbox, oldest first.
func (b *bundle) messages(id int) []string {
	b.Helper()
	names := []string{}
	for _, row := range b.owner.Query(
		"select name from outbox.task where telegram_id = $1 and kind = 'message' order by task_id", id) {
		names = append(names, row["name"].(string))
	}
	return names
}

// alarms are the alarms that the audit log has, oldest first.
func (b *bundle) alarms() []string {
	b.Helper()
	names := []string{}
	for _, row := range b.Query("select action from audit.event where action like 'alarm.%' order by occurred_at") {
		names = append(names, strings.TrimPrefix(row["action"].(string), "alarm."))
	}
	return names
}

// pick keeps some columns of a row.
func pick(row Row, columns ...string) Row {
	kept := Row{}
	for _, column := range columns {
		kept[column] = row[column]
	}
	return kept
}

// script runs several statements as the owner.
func (b *bundle) script(sql string) {
	b.Helper()
	_, err := b.harness.Owner.Exec(context.Background(), sql)
	require.NoError(b, err)
}
