package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"atlas-secure/internal/migrate"
	atlassql "atlas-secure/sql"
)

// options are the flags that all commands share.
type options struct {
	configFile string
	dsn        string
}

func newCommand() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:           "migrate",
		Short:         "Brings a database up to date, and writes and verifies the SQL of this project",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&o.configFile, "config", "",
		"goose.yaml to read (default: the one here or above; without any, what is built in)")
	root.PersistentFlags().StringVar(&o.dsn, "database-url", "",
		"database (default: LOCAL_, STAGE_ or PROD_DATABASE_URL, by APP_ENV)")
	root.AddCommand(o.up(), o.down(), o.status(), o.snapshot(), o.verify(), o.env(), sealRequisites())
	return root
}

func (o *options) up() *cobra.Command {
	return &cobra.Command{
		Use: "up", Short: "Apply all pending migrations", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.withMigrator(cmd, func(m *migrate.Migrator) ([]migrate.Step, error) { return m.Up(cmd.Context()) })
		},
	}
}

func (o *options) down() *cobra.Command {
	var to int64
	cmd := &cobra.Command{
		Use: "down", Short: "Take the newest migration back, or all down to a version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.withMigrator(cmd, func(m *migrate.Migrator) ([]migrate.Step, error) {
				if cmd.Flags().Changed("to") {
					return m.DownTo(cmd.Context(), to)
				}
				return m.Down(cmd.Context())
			})
		},
	}
	cmd.Flags().Int64Var(&to, "to", 0, "the version to keep as the newest; 0 takes everything back")
	return cmd
}

func (o *options) withMigrator(cmd *cobra.Command, run func(*migrate.Migrator) ([]migrate.Step, error)) (err error) {
	m, err := o.open(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	steps, err := run(m)
	for _, s := range steps {
		cmd.Printf("%s (%v)\n", s.File, s.Duration.Round(time.Millisecond))
	}
	if err == nil && len(steps) == 0 {
		cmd.Println("nothing to do")
	}
	return err
}

func (o *options) status() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "List the migrations and when they were applied", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			m, err := o.open(cmd)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, m.Close()) }()
			states, err := m.Status(cmd.Context())
			for _, s := range states {
				applied := "pending"
				if !s.AppliedAt.IsZero() {
					applied = s.AppliedAt.UTC().Format(time.DateTime)
				}
				cmd.Printf("%-20s %s\n", applied, s.File)
			}
			return err
		},
	}
}

func (o *options) snapshot() *cobra.Command {
	return &cobra.Command{
		Use: "snapshot", Short: "Write the next functions migration, migrations.sum and the goldens", Args: cobra.NoArgs,
		Long: "Writes the functions and views that changed since the last snapshot as the next numbered migration,\n" +
			"then migrations.sum, sql/schema.sql and sql/contract.txt (on a throw-away server, or on --database-url,\n" +
			"which must be a superuser's). Until CHANGELOG.md has a version, the one snapshot is written anew.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := migrate.OpenProject(".", o.configFile)
			if err != nil {
				return err
			}
			file, err := p.WriteSnapshot()
			if err != nil {
				return err
			}
			if file == "" {
				file = "no new migration: functions and views are as in the last one"
			}
			cmd.Println(file)
			skipped, err := p.WriteGoldens(cmd.Context(), o.dsn)
			if skipped != "" {
				cmd.Println("goldens not written:", skipped)
			}
			return err
		},
	}
}

func (o *options) verify() *cobra.Command {
	var noSkips bool
	cmd := &cobra.Command{
		Use: "verify", Short: "Prove that files, migrations and goldens describe the same database", Args: cobra.NoArgs,
		Long: "Runs every check of the SQL on a throw-away server, or in scratch databases of the server of\n" +
			"--database-url, which must be a superuser's. The server of APP_ENV is never used for this.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := migrate.OpenProject(".", o.configFile)
			if err != nil {
				return err
			}
			return migrate.Verify(cmd.Context(), p, migrate.VerifyOptions{
				DSN: o.dsn, NoSkips: noSkips,
				Report: func(c migrate.Check) { printCheck(cmd, c) },
			})
		},
	}
	cmd.Flags().BoolVar(&noSkips, "no-skips", false, "a check that cannot run here is a failure")
	return cmd
}

func printCheck(cmd *cobra.Command, c migrate.Check) {
	mark := "ok  "
	switch {
	case len(c.Problems) > 0:
		mark = "FAIL"
	case c.Skipped != "":
		mark = "skip"
	}
	cmd.Printf("%s %s (%v)\n", mark, c.Name, c.Duration.Round(time.Millisecond))
	if c.Skipped != "" {
		cmd.Println("     " + c.Skipped)
	}
	for _, problem := range c.Problems {
		cmd.Println("     " + problem)
	}
}

func (o *options) env() *cobra.Command {
	return &cobra.Command{
		Use: "env", Short: "Print goose.yaml as variables for the stock goose CLI", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := migrate.OpenProject(".", o.configFile)
			if err != nil {
				return err
			}
			cmd.Print(p.Config.Environment())
			return nil
		},
	}
}

// open connects with the project's goose.yaml and folders, or, where there is none, with what is built in.
func (o *options) open(cmd *cobra.Command) (*migrate.Migrator, error) {
	dsn, err := o.databaseURL()
	if err != nil {
		return nil, err
	}
	p, err := migrate.OpenProject(".", o.configFile)
	switch {
	case errors.Is(err, fs.ErrNotExist) && o.configFile == "":
		migrations, err := fs.Sub(atlassql.Files, "migrations")
		if err != nil {
			return nil, fmt.Errorf("built-in migrations: %w", err)
		}
		return migrate.Open(cmd.Context(), dsn, migrate.DefaultConfig(), migrations)
	case err != nil:
		return nil, err
	}
	return migrate.Open(cmd.Context(), dsn, p.Config, p.Migrations())
}

func (o *options) databaseURL() (string, error) {
	if o.dsn != "" {
		return o.dsn, nil
	}
	env := os.Getenv("APP_ENV")
	if env == "" {
		env = "local"
	}
	if env != "local" && env != "stage" && env != "prod" {
		return "", fmt.Errorf("APP_ENV is %q: local, stage or prod expected", env)
	}
	name := strings.ToUpper(env) + "_DATABASE_URL"
	if dsn := os.Getenv(name); dsn != "" {
		return dsn, nil
	}
	return "", fmt.Errorf("which database? set %s or give --database-url", name)
}
