// Command bot is the Telegram bot: it talks with people. Any number of them may run side by side.
package main

import (
	"context"
	"os"

	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/bot"
	"atlas-secure/internal/config"
	"atlas-secure/internal/daemon"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/redisdb"
)

func main() {
	program := daemon.Program{
		Name: "bot", Short: "Talks with people in Telegram; any number may run side by side",
		Component: config.Bot, Serve: serve,
	}
	os.Exit(daemon.Main(program.Command(), bot.Grace, os.Stderr))
}

// serve runs until ctx ends: the conversation, and the HTTP server with webhooks, metrics and health.
func serve(ctx context.Context, cfg *config.Config) error {
	log := obs.NewLogger(os.Stdout, cfg.LogLevel, "bot")
	redisdb.LogTo(log)
	w, err := wire(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer w.close()
	inspectLater, err := redisdb.Admit(ctx, w.redis, cfg.Environment != config.Local, log)
	if err != nil {
		return err //nolint:wrapcheck // says what it is about
	}
	loops, ctx := errgroup.WithContext(ctx)
	loops.Go(func() error { inspectLater(ctx); return nil })
	loops.Go(func() error { return obs.Serve(ctx, log, cfg.HTTPAddr, w.mux, bot.Grace) })
	loops.Go(func() error { return w.run(ctx) })
	return loops.Wait()
}
