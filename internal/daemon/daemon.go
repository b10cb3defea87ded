// Package daemon is what the bot and the worker have in common as programs: their command line, and how they end.
package daemon

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"atlas-secure/internal/config"
)

// lastWords is how long a process may take, after its grace, to write down what it had to cancel.
const lastWords = 4 * time.Second

// Program is a process that runs until it is told to stop.
type Program struct {
	Name      string // bot or worker
	Short     string
	Component config.Component
	// Serve runs until ctx ends. Then it finishes what it has in hand.
	Serve func(ctx context.Context, cfg *config.Config) error
}

// Command makes the command line: without arguments it serves.
func (p Program) Command() *cobra.Command {
	var checkOnly bool
	root := &cobra.Command{
		Use:           "atlas-" + p.Name,
		Short:         p.Short,
		Long:          p.Short + ".\n\n" + about,
		Version:       Version(),
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(command *cobra.Command, _ []string) error {
			cfg, err := config.Load(p.Component)
			if err != nil {
				return err //nolint:wrapcheck // lists all that is missing by itself
			}
			if checkOnly {
				return cfg.Describe(command.OutOrStdout()) //nolint:wrapcheck // of a terminal
			}
			return p.Serve(command.Context(), cfg)
		},
	}
	root.SetFlagErrorFunc(func(command *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, command.CommandPath())
	})
	root.Flags().BoolVar(&checkOnly, "check-config", false, "print the configuration that would be used, without secrets, and exit")
	return root
}

const about = `It runs until SIGTERM or SIGINT. Then it begins nothing more and has 20 seconds for what it has in hand;
what is not done by then is given back or done again by the next process. A second signal ends it at once.

It is configured by environment variables: APP_ENV (local, stage or prod) names the prefix of all others,
LOCAL_, STAGE_ or PROD_. --check-config shows them. It starts without its database, Redis, Telegram and VPN
node, and works as soon as they are there; /readyz says what is missing.`

// Version is what the build knows of itself.
func Version() string {
	info, isKnown := debug.ReadBuildInfo()
	if !isKnown {
		return "unknown"
	}
	revision := "unknown revision"
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
			revision = setting.Value[:12]
		}
	}
	return info.Main.Version + " " + revision + " " + info.GoVersion
}

// Main runs a command until it ends by itself or is told to stop, and gives the exit code. Told to stop, the command has
// to end within its grace; what hangs a little longer is ended by force.
func Main(command *cobra.Command, grace time.Duration, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, func() {
		stop()
		_, _ = fmt.Fprintf(stderr, "%s: told to stop: %s for what is in hand; a second signal ends it at once\n", command.Name(), grace)
		time.AfterFunc(grace+lastWords, func() {
			_, _ = fmt.Fprintf(stderr, "%s: ended by force: still not done %s after it was told to stop\n", command.Name(), grace+lastWords)
			os.Exit(1)
		})
	})
	if err := command.ExecuteContext(ctx); err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", command.Name(), err)
		return 1
	}
	return 0
}
