package migrate

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Config is how migrations run: the content of goose.yaml. It never holds a DSN.
type Config struct {
	Dialect  string   `yaml:"dialect"`
	Table    string   `yaml:"table"`
	Role     string   `yaml:"role"`
	Folders  Folders  `yaml:"folders"`
	Lock     Lock     `yaml:"lock"`
	Timeouts Timeouts `yaml:"timeouts"`
}

// Folders are paths from the project's root, with slashes.
type Folders struct {
	Migrations string `yaml:"migrations"`
	Functions  string `yaml:"functions"`
	Views      string `yaml:"views"`
}

// Lock is the session lock that keeps two migrators from each other.
type Lock struct {
	ID   int64         `yaml:"id"`
	Poll time.Duration `yaml:"poll"`
	Wait time.Duration `yaml:"wait"`
}

// Timeouts of the migrating session.
type Timeouts struct {
	Connect   time.Duration `yaml:"connect"`
	Lock      time.Duration `yaml:"lock"`
	Statement time.Duration `yaml:"statement"`
}

// DefaultConfig is what a binary uses that has no goose.yaml beside it; a test keeps it equal to the file.
func DefaultConfig() Config {
	return Config{
		Dialect:  "postgres",
		Table:    "public.goose_db_version",
		Role:     "atlas_owner",
		Folders:  Folders{Migrations: "sql/migrations", Functions: "sql/functions", Views: "sql/views"},
		Lock:     Lock{ID: 4097083626, Poll: time.Second, Wait: 5 * time.Minute},
		Timeouts: Timeouts{Connect: 10 * time.Second, Lock: 10 * time.Second, Statement: 10 * time.Minute},
	}
}

// LoadConfig reads a goose.yaml. Unknown and missing settings are errors, all named at once.
func LoadConfig(path string) (Config, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // the caller's own configuration
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	var c Config
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := c.validate(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$`)

func (c Config) validate() error {
	var problems []error
	check := func(ok bool, text string) {
		if !ok {
			problems = append(problems, errors.New(text))
		}
	}
	check(c.Dialect == "postgres", "dialect: only postgres is supported")
	check(plainName.MatchString(c.Table) && strings.Contains(c.Table, "."), "table: schema.name expected")
	check(plainName.MatchString(c.Role), "role: a plain name expected")
	check(c.Folders.Migrations != "" && c.Folders.Functions != "" && c.Folders.Views != "",
		"folders: migrations, functions and views are needed")
	check(c.Lock.ID != 0, "lock.id: a number expected")
	check(c.Lock.Poll >= time.Second && c.Lock.Poll%time.Second == 0, "lock.poll: whole seconds, at least 1s")
	check(c.Lock.Wait >= c.Lock.Poll, "lock.wait: at least lock.poll")
	check(c.Timeouts.Connect > 0 && c.Timeouts.Lock > 0 && c.Timeouts.Statement > 0,
		"timeouts: connect, lock and statement are needed")
	return errors.Join(problems...)
}

// Environment is the same configuration for the stock goose CLI, as lines for a shell.
func (c Config) Environment() string {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "export %s='%s'\n", name, value) }
	line("GOOSE_DRIVER", c.Dialect)
	line("GOOSE_MIGRATION_DIR", c.Folders.Migrations)
	line("GOOSE_TABLE", c.Table)
	line("PGOPTIONS", fmt.Sprintf("-c role=%s -c lock_timeout=%d -c statement_timeout=%d",
		c.Role, c.Timeouts.Lock.Milliseconds(), c.Timeouts.Statement.Milliseconds()))
	b.WriteString("# GOOSE_DBSTRING is yours to set. The goose CLI takes no lock: never run two at once.\n")
	return b.String()
}
