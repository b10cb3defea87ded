// Command worker does the shop's background work: keys, messages, expiry, polling. Any number of them may run side by side.
//
//	worker               runs until it is told to stop
//	worker jobs          lists the jobs: schedule, last run, next run, failures
//	worker run NAME      runs one now
//	worker --check-config  prints the configuration that would be used, without secrets
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := newCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}
