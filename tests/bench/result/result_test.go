package result_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/bench/result"
	"atlas-secure/tests/bench/rig"
)

var update = flag.Bool("update", false, "draw the chart of the checked-in figures anew")

const (
	figures = "../results.json"
	chart   = "../results.svg"
)

// TestTheChartShowsTheFigures compares the checked-in chart to what the checked-in figures give.
func TestTheChartShowsTheFigures(t *testing.T) {
	t.Parallel()
	r, err := result.Read(figures)
	require.NoError(t, err)
	drawn, err := result.Chart(r)
	require.NoError(t, err)
	again, err := result.Chart(r)
	require.NoError(t, err)
	require.Equal(t, drawn, again, "the same figures give the same chart")
	if *update {
		require.NoError(t, os.WriteFile(chart, []byte(drawn), 0o644))
	}
	kept, err := os.ReadFile(chart)
	require.NoError(t, err)
	require.Equal(t, string(kept), drawn, "go test ./tests/bench/result -update draws it anew")
}

func TestMedianOfPairs(t *testing.T) {
	t.Parallel()
	require.Zero(t, result.Median(nil))
	require.Equal(t, 2.0, result.Median([]float64{3, 1, 2}))
	require.Equal(t, 2.5, result.Median([]float64{4, 1, 2, 3}))

	// The machine was three times slower in the second round: the rounds' ratios do not mind.
	r := result.Result{Figures: []result.Figure{{Key: "ours"}, {Key: "reference"}}}
	for i, slow := range []float64{1, 3, 1} {
		r.Figure("ours").Add(rig.Sample{PerSecond: (200 + float64(i)) / slow, CPUMicros: 10 * slow})
		r.Figure("reference").Add(rig.Sample{PerSecond: 100 / slow, CPUMicros: 20 * slow})
	}
	require.NoError(t, r.Compare(result.Ratio{Key: "k", Of: "ours", To: "reference"}))
	require.InDelta(t, 2.01, r.Ratios[0].Median, 0.0001)
	require.InDelta(t, 0.5, r.Ratios[0].CPU, 0.0001)
	require.Error(t, r.Compare(result.Ratio{Key: "k", Of: "ours", To: "nobody"}))

	_, err := result.Chart(&r)
	require.Error(t, err, "a chart of too little")
}

func TestWrittenAndRead(t *testing.T) {
	t.Parallel()
	r, err := result.Read(figures)
	require.NoError(t, err)
	kept, err := os.ReadFile(figures)
	require.NoError(t, err)
	var written strings.Builder
	require.NoError(t, r.Write(&written))
	require.Equal(t, string(kept), written.String(), "results.json is what the program writes")
}
