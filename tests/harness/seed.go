package harness

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// Seed is ATLAS_TEST_SEED, to repeat a run's choices, or a new one. The test's log has it.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("ATLAS_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("harness: ATLAS_TEST_SEED is no number: %v", err)
		}
	}
	t.Logf("ATLAS_TEST_SEED=%d", seed)
	return seed
}
