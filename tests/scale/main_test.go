// Package scale_test measures the jobs and the statement on a database with many users, and demands that they touch
// only what is due: no user-sized table is read from end to end. Figures are printed and never gate.
//
// `make test` runs it with 20 000 users, `make scale` with a million (five minutes and some 8 GB in /tmp).
package scale_test

import (
	"flag"
	"testing"

	"atlas-secure/tests/harness"
)

var users = flag.Int("scale.users", 20_000, "how many users to end with; first come a tenth and, from 100 000 on, a hundredth")

func TestMain(m *testing.M) { harness.Main(m) }
