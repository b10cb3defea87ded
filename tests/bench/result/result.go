// Package result holds figures: what was measured on which machine, the medians of the rounds, and how one compares to
// another. It writes and reads them as JSON, prints them as a table and draws them as a chart.
package result

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"atlas-secure/tests/bench/rig"
)

// Result is all figures of one run.
type Result struct {
	MeasuredAt time.Time         `json:"measured_at"`
	Machine    Machine           `json:"machine"`
	Postgres   string            `json:"postgres"`
	Settings   map[string]string `json:"settings"`
	Load       map[string]int    `json:"load"` // rounds, seconds, users, scale of pgbench's tables
	Figures    []Figure          `json:"figures"`
	Ratios     []Ratio           `json:"ratios"`
	Notes      []string          `json:"notes"`
}

// Machine is where it was measured.
type Machine struct {
	CPU      string `json:"cpu"`
	Cores    int    `json:"cores"`
	MemoryGB int    `json:"memory_gb"`
	System   string `json:"system"`
	// FlushMicros is how long an 8 KB write and its flush to the disk of the data take, in the median.
	FlushMicros float64 `json:"flush_us"`
}

// Figure is what was measured of one thing, in all rounds.
type Figure struct {
	Case    string       `json:"case"`
	Key     string       `json:"key"`
	Title   string       `json:"title"`
	Clients int          `json:"clients"`
	Median  rig.Sample   `json:"median"`
	Target  float64      `json:"target,omitempty"` // per second
	P50MS   float64      `json:"p50_ms,omitempty"`
	P99MS   float64      `json:"p99_ms,omitempty"`
	Samples []rig.Sample `json:"-"`
	// Rounds is the rate in each round.
	Rounds []float64 `json:"rounds"`
}

// Ratio compares the rate of one figure to that of another, in each round.
type Ratio struct {
	Case   string  `json:"case"`
	Key    string  `json:"key"`
	Title  string  `json:"title"`
	Of     string  `json:"of"`
	To     string  `json:"to"`
	Median float64 `json:"median"`
	// CPU compares what one costs to what the other does: of the server's backends, per transaction; 0 where unknown.
	CPU    float64   `json:"cpu,omitempty"`
	Target float64   `json:"target,omitempty"`
	Rounds []float64 `json:"rounds"`
}

// Median is the middle of the values; of an even number, the mean of the two in the middle. Nothing has 0.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// Add adds the sample of a round.
func (f *Figure) Add(s rig.Sample) {
	f.Samples = append(f.Samples, s)
	f.Rounds = append(f.Rounds, s.PerSecond)
	of := func(field func(rig.Sample) float64) float64 {
		values := make([]float64, len(f.Samples))
		for i, sample := range f.Samples {
			values[i] = field(sample)
		}
		return Median(values)
	}
	f.Median = rig.Sample{
		PerSecond:    of(func(s rig.Sample) float64 { return s.PerSecond }),
		LatencyMS:    of(func(s rig.Sample) float64 { return s.LatencyMS }),
		CPUMicros:    of(func(s rig.Sample) float64 { return s.CPUMicros }),
		Background:   of(func(s rig.Sample) float64 { return s.Background }),
		ClientMicros: of(func(s rig.Sample) float64 { return s.ClientMicros }),
		WALBytes:     of(func(s rig.Sample) float64 { return s.WALBytes }),
		Others:       of(func(s rig.Sample) float64 { return s.Others }),
	}
	f.P50MS = of(func(s rig.Sample) float64 { return s.P50 })
	f.P99MS = of(func(s rig.Sample) float64 { return s.P99 })
}

// Figure finds a figure by its key.
func (r *Result) Figure(key string) *Figure {
	for i := range r.Figures {
		if r.Figures[i].Key == key {
			return &r.Figures[i]
		}
	}
	return nil
}

// Compare fills a ratio from the figures' rounds: the median of the rounds' ratios, as both sides of a round had the
// same neighbours on the machine.
func (r *Result) Compare(ratio Ratio) error {
	of, to := r.Figure(ratio.Of), r.Figure(ratio.To)
	if of == nil || to == nil {
		return fmt.Errorf("no figures to compare %s to %s", ratio.Of, ratio.To)
	}
	var costs []float64
	for i := range min(len(of.Samples), len(to.Samples)) {
		one, other := of.Samples[i], to.Samples[i]
		if other.PerSecond > 0 {
			ratio.Rounds = append(ratio.Rounds, one.PerSecond/other.PerSecond)
		}
		if other.CPUMicros > 0 {
			costs = append(costs, one.CPUMicros/other.CPUMicros)
		}
	}
	ratio.Median, ratio.CPU = Median(ratio.Rounds), Median(costs)
	r.Ratios = append(r.Ratios, ratio)
	return nil
}

// Write writes the figures as JSON.
func (r *Result) Write(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}

// Read reads what Write has written.
func Read(path string) (*Result, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the figures: %w", err)
	}
	var r Result
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("read the figures in %s: %w", path, err)
	}
	return &r, nil
}
