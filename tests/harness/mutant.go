package harness

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/tests/mutants"
)

// MutantVariable names the mutant that is planted in every database of a test. Unset: none is.
const MutantVariable = "ATLAS_TEST_MUTANT"

// What the harness says about a mutant, each with its name: that a test's database has it, and how a test failed with it.
const (
	MutantPlanted = "mutant %s: planted for %s"
	MutantCaught  = "mutant %s: %s failed after %d operations"
)

// plant breaks a new database, where a mutant is named, and says how the test ended.
func (s *server) plant(ctx context.Context, t testing.TB, database string) error {
	name := os.Getenv(MutantVariable)
	if name == "" {
		return nil
	}
	mutant, err := mutants.Find(name)
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, s.dsn(Superuser, database))
	if err != nil {
		return fmt.Errorf("plant a mutant: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := mutant.Plant(ctx, conn); err != nil {
		return err
	}
	say(MutantPlanted, name, t.Name())
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), cleanUpLimit)
		defer cancel()
		operations, err := s.operations(ctx, database)
		if err != nil {
			t.Errorf("harness: count operations: %v", err)
			return
		}
		say(MutantCaught, name, t.Name(), operations)
	})
	return nil
}

// How long a session that has been closed may take to write its counts.
const countsLimit = 3 * time.Second

// operations is how many calls of functions that write were answered in a database: what Postgres counts of the volatile
// functions that are granted to somebody. It counts no call that was refused. Sessions write their counts when they end.
func (s *server) operations(ctx context.Context, database string) (n int, err error) {
	conn, err := pgx.Connect(ctx, s.dsn(Superuser, database))
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for others, until := 1, time.Now().Add(countsLimit); others > 0 && time.Now().Before(until); {
		err := conn.QueryRow(ctx, `select count(*) from pg_stat_activity
			where datname = current_database() and pid <> pg_backend_pid()`).Scan(&others)
		if err != nil {
			return 0, err
		}
	}
	err = conn.QueryRow(ctx, `select coalesce(sum(f.calls), 0) from pg_stat_user_functions f
		join pg_proc p on p.oid = f.funcid where p.provolatile = 'v' and left(p.proname, 1) <> '_'`).Scan(&n)
	return n, err
}
