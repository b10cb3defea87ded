package isolation_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestScenarios plays the specs written by hand, each named by its scenario: A1 is a1.spec. Their outputs are
// isolationtester's own.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("scenarios/*.spec")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	outs := make([]string, len(files))
	errs := make([]error, len(files))
	done := playAll(t, len(files), func(s *stage, i int) {
		raw, err := os.ReadFile(files[i])
		if errs[i] = err; err == nil {
			outs[i], errs[i] = s.play(string(raw))
		}
	})
	for i, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".spec"), func(t *testing.T) {
			<-done[i]
			require.NoError(t, errs[i])
			require.NotContains(t, outs[i], "deadlock")
			require.NotContains(t, outs[i], "WRONG")
			sameAs(t, strings.TrimSuffix(file, ".spec")+".out", outs[i])
		})
	}
}
