package worker_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"atlas-secure/tests/harness"
)

// TestMain also checks that no worker has left anything running.
func TestMain(m *testing.M) {
	code := harness.Run(m)
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
