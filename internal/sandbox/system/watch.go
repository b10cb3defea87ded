package system

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"

	atlassql "atlas-secure/sql"
)

func (s *system) tellWhatToTry() {
	s.say(`
Open the chat page:  %s

Four things to try:
  1. As Anna press Start, choose a language, top up with Crypto Pay, and buy Basic for a month:
     the key comes as text and QR code, and it carries traffic.
  2. Press Pay as fast as you can, or break something on the control panel in the middle (kill -9 %d is the bot):
     what was promised comes, and there is one charge and one key.
  3. Let four days pass on the control panel: reminders and expiry come as they would.
  4. make psql, then: select * from ops.reconcile();   no rows, the books are right.

Everything else is in %s.   Ctrl-C stops it; what you did stays.
`, s.info.HTTP.Chat, s.family.pid("bot"), s.opts.path(infoFile))
}

// watch lasts until ctx ends, and brings back servers that died.
func (s *system) watch(ctx context.Context) error {
	watching, ctx := errgroup.WithContext(ctx)
	for _, server := range s.machine.servers {
		watching.Go(func() error { return server.keep(ctx) })
	}
	watching.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.outside.failed:
			return err
		}
	})
	return watching.Wait() //nolint:wrapcheck // says all by itself
}

// stop ends everything, in the order in which nobody misses anybody.
func (s *system) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	s.say("Stopping ...")
	var problems []error
	if s.machine != nil {
		problems = append(problems, s.machine.thaw())
	}
	if s.family != nil {
		s.family.stop()
	}
	for _, kept := range s.ports {
		problems = append(problems, kept.Close())
	}
	if s.outside != nil {
		problems = append(problems, s.outside.close(ctx))
	}
	if s.machine != nil {
		s.machine.pool.Close()
	}
	if s.redis != nil {
		problems = append(problems, s.redis.Stop(ctx))
	}
	if s.database != nil {
		problems = append(problems, s.database.Stop(ctx))
	}
	if s.info.HTTP.Chat != "" {
		s.info.PID, s.info.Processes = 0, nil
		problems = append(problems, s.info.write(s.opts.StateDir))
	}
	s.say("Stopped.")
	return errors.Join(problems...)
}

const migrationSums = "migrations.sum"

// checkMigrations refuses a database that was made by other versions of the same migrations: before the first release
// they are still edited.
func checkMigrations(opts *Options) error {
	kept, err := os.ReadFile(opts.path(migrationSums))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the state folder: %w", err)
	}
	current, err := atlassql.Files.ReadFile("migrations/" + migrationSums)
	if err != nil {
		return fmt.Errorf("%s: %w", migrationSums, err)
	}
	if !isPrefix(kept, current) {
		return errors.New("the SQL has changed since this state was made; start over with: make run/fresh")
	}
	return nil
}

// keepMigrations notes which versions the database was made with.
func keepMigrations(opts *Options) error {
	current, err := atlassql.Files.ReadFile("migrations/" + migrationSums)
	if err != nil {
		return fmt.Errorf("%s: %w", migrationSums, err)
	}
	if err := os.WriteFile(opts.path(migrationSums), current, 0o600); err != nil {
		return fmt.Errorf("the state folder: %w", err)
	}
	return nil
}

func isPrefix(start, whole []byte) bool {
	return len(start) <= len(whole) && string(whole[:len(start)]) == string(start)
}
