package result

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Print prints the figures as tables.
func Print(w io.Writer, r *Result) {
	fmt.Fprintf(w, "\nPostgreSQL %s, %d cores (%s), %d GB, a flush takes %.0f µs; %d rounds of %d s, %d users, tpcb-like at scale %d.\n",
		r.Postgres, r.Machine.Cores, r.Machine.CPU, r.Machine.MemoryGB, r.Machine.FlushMicros,
		r.Load["rounds"], r.Load["seconds"], r.Load["users"], r.Load["tpcb_scale"])
	settings := make([]string, 0, len(r.Settings))
	for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
		settings = append(settings, name+" "+r.Settings[name])
	}
	fmt.Fprintf(w, "%s.\nClients (pgbench) run on the same cores, over the unix socket.\n\n", strings.Join(settings, ", "))

	fmt.Fprintf(w, "%-4s %-44s %9s %9s %8s %8s %8s %8s %7s\n", "", "median of the rounds", "/s", "ms", "CPU µs", "backgr.",
		"client", "WAL B", "others")
	last := ""
	for i := range r.Figures {
		f := &r.Figures[i]
		number := ""
		if f.Case != last {
			number, last = f.Case, f.Case
		}
		m := f.Median
		fmt.Fprintf(w, "%-4s %-44s %9.0f %9.2f %8.1f %8.1f %8.1f %8.0f %6.0f%%", number, f.Title, m.PerSecond, m.LatencyMS, m.CPUMicros,
			m.Background, m.ClientMicros, m.WALBytes, 100*m.Others)
		if f.P99MS > 0 {
			fmt.Fprintf(w, "  p50 %.1f ms, p99 %.1f ms", f.P50MS, f.P99MS)
		}
		if f.Target > 0 {
			fmt.Fprintf(w, "  target >= %.0f /s", f.Target)
		}
		fmt.Fprintln(w)
	}
	if len(r.Ratios) > 0 {
		fmt.Fprintf(w, "\n%-4s %-44s %9s %9s %8s   %s\n", "", "ratio (median of the rounds)", "rate", "target", "CPU", "rate by round")
	}
	for _, ratio := range r.Ratios {
		target := ""
		if ratio.Target > 0 {
			target = fmt.Sprintf(">= %g", ratio.Target)
		}
		rounds := make([]string, len(ratio.Rounds))
		for i, n := range ratio.Rounds {
			rounds[i] = fmt.Sprintf("%.2f", n)
		}
		fmt.Fprintf(w, "%-4s %-44s %9.2f %9s %8.2f   %s\n", ratio.Case, ratio.Title, ratio.Median, target, ratio.CPU,
			strings.Join(rounds, " "))
	}
	for i, note := range r.Notes {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, note)
	}
	fmt.Fprintln(w, "\nCPU: per transaction, of the backends that did it; background: of the server's other processes; client: of pgbench.")
	fmt.Fprintln(w, "others: the share of the machine that was taken by none of these, so how much to trust a figure.")
}
