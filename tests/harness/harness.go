// Package harness gives every test a database of its own, made by the project's migrations, with a pool
// per role, and a Redis database of its own.
//
// The servers come from ATLAS_TEST_DATABASE_URL (a superuser) and ATLAS_TEST_REDIS_URL, else from
// testcontainers when a Docker engine answers and has or gets the images, else from programs on this
// machine; the log says which. A database test never skips: without any server it fails.
//
//	func TestMain(m *testing.M) { harness.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		t.Parallel()
//		h := harness.New(t)
//		h.Bot.QueryRow(...)
//	}
//
// With ATLAS_TEST_MUTANT=<name> every database has that mistake of package mutants.
//
// When the test ends, `ops.reconcile()` must have nothing to say about its database.
package harness

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

const (
	serverLimit  = 5 * time.Minute // a first image pull included
	setupLimit   = 5 * time.Minute
	cleanUpLimit = 2 * time.Minute
)

// shared are the servers of this test binary, started when first asked for.
var shared struct {
	mu       sync.Mutex
	isMain   bool
	postgres *server
	redis    *redisServer
}

// Main runs the tests and stops the servers they needed. Every package that uses the harness has it as
// its TestMain.
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is Main for a TestMain that has more to do; it returns the exit code.
func Run(m *testing.M) int {
	shared.mu.Lock()
	shared.isMain = true
	shared.mu.Unlock()
	code := m.Run()
	if err := stopShared(); err != nil {
		fmt.Fprintln(os.Stderr, "harness:", err)
		return max(code, 1)
	}
	return code
}

func stopShared() error {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), cleanUpLimit)
	defer cancel()
	if shared.postgres != nil {
		if err := shared.postgres.stop(ctx); err != nil {
			return fmt.Errorf("stop PostgreSQL: %w", err)
		}
	}
	if shared.redis != nil {
		if err := shared.redis.stop(ctx); err != nil {
			return fmt.Errorf("stop Redis: %w", err)
		}
	}
	return nil
}

func requireMain(t testing.TB) {
	t.Helper()
	if !shared.isMain {
		t.Fatal("this package needs `func TestMain(m *testing.M) { harness.Main(m) }`")
	}
}

func sharedPostgres(t testing.TB) *server {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	requireMain(t)
	if shared.postgres == nil {
		ctx, cancel := context.WithTimeout(context.Background(), serverLimit)
		defer cancel()
		s, err := findPostgres(ctx)
		if err != nil {
			t.Fatalf("harness: no PostgreSQL to test with: %v", err)
		}
		say("PostgreSQL: %s", s.description)
		shared.postgres = s
	}
	return shared.postgres
}

func sharedRedis(t testing.TB) *redisServer {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	requireMain(t)
	if shared.redis == nil {
		ctx, cancel := context.WithTimeout(context.Background(), serverLimit)
		defer cancel()
		s, err := findRedis(ctx)
		if err != nil {
			t.Fatalf("harness: no Redis to test with: %v", err)
		}
		say("Redis: %s", s.description)
		shared.redis = s
	}
	return shared.redis
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "harness: "+format+"\n", args...)
}
