// Command bot is the Telegram bot: it talks with people. Any number of them may run side by side.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/bot"
	"atlas-secure/internal/config"
	"atlas-secure/internal/obs"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bot:", err)
		os.Exit(1)
	}
}

func run() error {
	checkOnly := flag.Bool("check-config", false, "print the configuration that would be used, without secrets, and exit")
	flag.Parse()
	cfg, err := config.Load(config.Bot)
	if err != nil {
		return err
	}
	if *checkOnly {
		return cfg.Describe(os.Stdout)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once

	log := obs.NewLogger(os.Stdout, cfg.LogLevel, "bot")
	w, err := wire(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer w.close()

	loops, ctx := errgroup.WithContext(ctx)
	loops.Go(func() error { return obs.Serve(ctx, log, cfg.HTTPAddr, w.mux, bot.Grace) })
	loops.Go(func() error { return w.run(ctx) })
	return loops.Wait()
}
