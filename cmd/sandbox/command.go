package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"atlas-secure/internal/sandbox/system"
)

func newCommand() *cobra.Command {
	opts := system.Options{}
	root := &cobra.Command{
		Use:   "atlas-sandbox",
		Short: "Run all of Atlas Secure on this machine, without a token or an account",
		Long: "Starts Postgres, Redis, an emulator of Telegram's Bot API with a chat page, a fake Crypto Pay, the VPN node,\n" +
			"bot and worker, and keeps them running until Ctrl-C. What happens is kept in the state folder:\n" +
			"LOCAL_STATE_DIR, else /var/lib/atlas-secure for root, else the XDG state folder.",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(command *cobra.Command, _ []string) error {
			opts.Out = command.OutOrStdout()
			err := system.Run(command.Context(), opts)
			var running *system.RunningError
			if errors.As(err, &running) {
				_, _ = fmt.Fprintln(opts.Out, "Atlas Secure:", running)
				return nil
			}
			return err //nolint:wrapcheck // says all by itself
		},
	}
	root.Flags().StringVar(&opts.StateDir, "state-dir", "", "where everything is kept (default as said above)")
	root.Flags().BoolVar(&opts.Fresh, "fresh", false, "delete what an earlier run left and start over")
	root.Flags().IntVar(&opts.Bots, "bots", 1, "how many bot processes")
	root.Flags().IntVar(&opts.Workers, "workers", 1, "how many worker processes")
	root.AddCommand(dsnCommand())
	return root
}

// dsnCommand prints how to reach the sandbox's database, for `make psql` and scripts.
func dsnCommand() *cobra.Command {
	var stateDir string
	command := &cobra.Command{
		Use: "dsn ROLE", Short: "Print the connection string of a role: dba, owner, bot, worker, auditor",
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if stateDir == "" {
				var err error
				if stateDir, err = system.DefaultStateDir(); err != nil {
					return err //nolint:wrapcheck // says all by itself
				}
			}
			info, err := system.ReadInfo(stateDir)
			if err != nil {
				return fmt.Errorf("%w; start it with: make run", err)
			}
			if info.PID == 0 {
				return errors.New("the sandbox is not running; start it with: make run")
			}
			dsn, isKnown := info.Databases[args[0]]
			if !isKnown {
				return fmt.Errorf("no role %q; there are %s", args[0],
					strings.Join(slices.Sorted(maps.Keys(info.Databases)), ", "))
			}
			_, _ = fmt.Fprintln(command.OutOrStdout(), dsn)
			return nil
		},
	}
	command.Flags().StringVar(&stateDir, "state-dir", "", "of the sandbox (default: as for running it)")
	return command
}
