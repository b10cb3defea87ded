package load_test

import (
	"testing"

	"atlas-secure/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
