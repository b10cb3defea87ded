// Command worker does the shop's background work: keys, messages, expiry, polling. Any number of them may run side by side.
//
//	worker               runs until it is told to stop
//	worker jobs          lists the jobs: schedule, last run, next run, failures
//	worker components    lists what the shop depends on, and how it is
//	worker run NAME      runs one job now
//	worker payments      compares payments with their provider, and gives Stars back
//	worker --check-config  prints the configuration that would be used, without secrets
package main

import (
	"os"

	"atlas-secure/internal/daemon"
	"atlas-secure/internal/worker"
)

func main() { os.Exit(daemon.Main(newCommand(), worker.Grace, os.Stderr)) }
