// Command run plants every mutant in turn and lets the test run that has to fail with it. It prints who was caught by what,
// after how many operations and in which time, and exits with 1 when one lives that must die, when one dies that must live,
// or when a run proves nothing: it could not start, or the test fails without any mutant, too.
//
//	go run ./tests/mutants/run                                  all of them
//	go run ./tests/mutants/run "balance that nobody checks"     one, with what its test says
//	go run ./tests/mutants/run billing.                         those of some functions
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"time"

	"atlas-secure/tests/harness"
	"atlas-secure/tests/mutants"
)

// atOnce is how many mutants run side by side; their tests wait for the server, not for a core.
const (
	atOnce    = 2
	stopLimit = time.Minute
)

func main() {
	jobs := flag.Int("jobs", atOnce, "mutants at once")
	isControlled := flag.Bool("control", true, "let the tests run without a mutant first")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, *jobs, *isControlled, strings.Join(flag.Args(), " ")); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, jobs int, isControlled bool, which string) (err error) {
	wanted := slices.DeleteFunc(mutants.All(), func(m mutants.Mutant) bool {
		return m.Name != which && !strings.HasPrefix(m.Function, which)
	})
	if len(wanted) == 0 {
		return fmt.Errorf("no mutant is called %q, or is of a function of that name", which)
	}
	dsn, description, stop, err := harness.Serve(ctx)
	if err != nil {
		return fmt.Errorf("no PostgreSQL to test with: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer cancel()
		err = errors.Join(err, stop(ctx))
	}()
	fmt.Println("PostgreSQL:", description)

	suite, err := compile(ctx, dsn, wanted)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, suite.remove()) }()
	started := time.Now()
	if isControlled {
		if err := suite.passesWithout(ctx, wanted); err != nil {
			return err
		}
	}
	results := suite.plantAll(ctx, wanted, jobs)
	if err := ctx.Err(); err != nil {
		return err
	}
	fmt.Print("\n", table(results))
	return verdict(results, time.Since(started))
}

// plantAll runs the mutants, some at once, and gives the results in the mutants' order.
func (s *suite) plantAll(ctx context.Context, wanted []mutants.Mutant, jobs int) []result {
	results := make([]result, len(wanted))
	next := make(chan int)
	var all sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range jobs {
		all.Go(func() {
			for i := range next {
				r := s.plant(ctx, wanted[i])
				results[i] = r
				mu.Lock()
				done++
				fmt.Printf("[%d/%d] %s: %s\n", done, len(wanted), wanted[i].Name, r)
				if len(wanted) == 1 || !r.isAsExpected() {
					fmt.Println(r.output)
				}
				mu.Unlock()
			}
		})
	}
	for i := range wanted {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	all.Wait()
	return results
}

// table is what goes into a page: it is Markdown.
func table(results []result) string {
	var b strings.Builder
	b.WriteString("| function | what is broken | caught by | operations | seconds |\n|---|---|---|---:|---:|\n")
	for _, r := range results {
		caught, operations := "**lives**", ""
		switch r.end {
		case isCaught:
			caught, operations = r.test, fmt.Sprint(r.operations)
		case lives:
			if r.mutant.Lives != "" {
				caught = "lives: " + r.mutant.Lives
			}
		default:
			caught = "**" + r.end.String() + "**"
		}
		broken := r.mutant.Name
		if r.mutant.Mistakes() == 2 {
			broken += " (two mistakes)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.1f |\n", r.mutant.Function, broken, caught, operations, r.took.Seconds())
	}
	return b.String()
}

func verdict(results []result, took time.Duration) error {
	wrong := slices.DeleteFunc(slices.Clone(results), result.isAsExpected)
	count := map[end]int{}
	for _, r := range results {
		count[r.end]++
	}
	fmt.Printf("\n%d mutants in %s: %d caught, %d live, %d prove nothing.\n", len(results), took.Round(time.Second),
		count[isCaught], count[lives], count[provesNothing])
	if len(wrong) == 0 {
		return nil
	}
	lines := make([]string, len(wrong))
	for i, r := range wrong {
		lines[i] = fmt.Sprintf("  %s (%s, tests/%s, %s): %s", r.mutant.Name, r.mutant.Function, r.mutant.Package, r.mutant.Test, r)
	}
	return fmt.Errorf("not as it has to be:\n%s", strings.Join(lines, "\n"))
}
