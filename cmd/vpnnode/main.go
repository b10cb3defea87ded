package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"atlas-secure/vpnnode/internal/config"
	"atlas-secure/vpnnode/internal/daemon"
)

func main() { os.Exit(run()) }

func run() int {
	if len(os.Args) > 1 {
		fmt.Print(config.Help())
		if arg := os.Args[1]; arg != "-h" && arg != "-help" && arg != "--help" {
			fmt.Fprintf(os.Stderr, "\nvpnnode takes no argument %q\n", arg)
			return 2
		}
		return 0
	}
	cfg, err := config.Load(os.LookupEnv)
	if err != nil {
		fmt.Fprintf(os.Stderr, "vpnnode cannot start with this configuration (see --help):\n%v\n", err)
		return 2
	}
	logger := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: cfg.LogLevel}))

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := daemon.Run(ctx, cfg, logger); err != nil {
		logger.Error("vpnnode ended with an error", "component", "vpnnode", "operation", "run", "error", err)
		return 1
	}
	return 0
}
