// Package fault_test breaks what the SQL contract stands on while clients use it: answers get lost, sessions and clients
// are killed, the server crashes, somebody locks what he should not. Tests bear the scenario's id. Clients repeat each call
// with the same arguments until its outcome is definite; then package history judges what they were told.
package fault_test

import (
	"os"
	"testing"

	"atlas-secure/tests/harness"
)

func TestMain(m *testing.M) {
	if os.Getenv(childDSN) != "" {
		os.Exit(child()) // this process is a client of TestG1
	}
	harness.Main(m)
}
