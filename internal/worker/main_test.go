package worker_test

import (
	"os"
	"testing"

	"atlas-secure/tests/harness"
	"atlas-secure/tests/leaks"
)

// TestMain also checks that no worker has left anything running.
func TestMain(m *testing.M) { os.Exit(leaks.Check(harness.Run(m))) }
