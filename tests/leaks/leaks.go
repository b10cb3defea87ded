// Package leaks fails test binaries whose tests have left goroutines running.
package leaks

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long goroutines may take to end after the last test. goleak itself waits for less than half a second,
// which is little for connections that are being closed on a busy machine.
const patience = 30 * time.Second

// Main is the TestMain of a package whose tests leave nothing running.
func Main(m *testing.M) { os.Exit(Check(m.Run())) }

// Check looks for goroutines after the tests have ended with the exit code, and gives the exit code to end with.
func Check(code int) int {
	if code != 0 {
		return code
	}
	deadline := time.Now().Add(patience)
	err := goleak.Find()
	for err != nil && time.Now().Before(deadline) {
		err = goleak.Find()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
