package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/bench/result"
)

// TestEverythingIsMeasured runs each case for a moment on small tables: every subject does something, and the books are
// right afterwards. The figures mean nothing and gate nothing.
func TestEverythingIsMeasured(t *testing.T) {
	var out strings.Builder
	o := options{rounds: 1, seconds: 1, warm: 1, users: 200, scale: 1, due: 500, calls: 5, clients: []int{2, 32},
		dir: t.TempDir(), name: "bench", settings: map[string]string{"fsync": "off"}}
	require.NoError(t, o.execute(t.Context(), &out), out.String())
	t.Log(out.String())

	r, err := result.Read(filepath.Join(o.dir, "bench.json"))
	require.NoError(t, err)
	require.NotEmpty(t, r.Figures)
	require.FileExists(t, filepath.Join(o.dir, "bench.svg"))
	for _, f := range r.Figures {
		require.Positive(t, f.Median.PerSecond, f.Title)
	}
	for _, ratio := range r.Ratios {
		require.Positive(t, ratio.Median, ratio.Title)
	}
}
