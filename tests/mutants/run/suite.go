package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"atlas-secure/tests/harness"
	"atlas-secure/tests/mutants"
)

const (
	seed      = "1"
	testLimit = 2 * time.Minute // of one mutant's test; the slowest takes some seconds
	runLimit  = 10 * time.Minute
	killDelay = 5 * time.Second
)

// suite is the test binaries that the mutants need, and the server they share.
type suite struct {
	folder   string
	dsn      string
	binaries map[string]string // by package
}

func compile(ctx context.Context, dsn string, wanted []mutants.Mutant) (*suite, error) {
	folder, err := os.MkdirTemp("", "atlas-mutants-")
	if err != nil {
		return nil, err
	}
	s := &suite{folder: folder, dsn: dsn, binaries: map[string]string{}}
	for _, m := range wanted {
		if s.binaries[m.Package] != "" {
			continue
		}
		fmt.Println("Compiling tests/" + m.Package)
		binary := filepath.Join(folder, m.Package+".test")
		build := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, "./tests/"+m.Package)
		if said, err := build.CombinedOutput(); err != nil {
			return nil, errors.Join(fmt.Errorf("compile tests/%s: %w\n%s", m.Package, err, said), s.remove())
		}
		s.binaries[m.Package] = binary
	}
	return s, nil
}

func (s *suite) remove() error { return os.RemoveAll(s.folder) }

// passesWithout runs all the tests without a mutant: one that fails by itself catches nothing.
func (s *suite) passesWithout(ctx context.Context, wanted []mutants.Mutant) error {
	for pkg := range s.binaries {
		whole, patterns := []string{}, []string{}
		for _, m := range wanted {
			isPart := strings.Contains(m.Test, "/")
			switch {
			case m.Package == pkg && isPart && !slices.Contains(patterns, pattern(m.Test)):
				patterns = append(patterns, pattern(m.Test))
			case m.Package == pkg && !isPart && !slices.Contains(whole, m.Test):
				whole = append(whole, m.Test)
			}
		}
		fmt.Printf("Without a mutant: tests/%s ... ", pkg)
		started := time.Now()
		for _, p := range append(patterns, pattern("("+strings.Join(whole, "|")+")")) {
			if said, err := s.test(ctx, pkg, p, "", runLimit); err != nil {
				return fmt.Errorf("tests/%s fails without a mutant: %w\n%s", pkg, err, said)
			}
		}
		fmt.Printf("%d tests pass (%.0f s)\n", len(whole)+len(patterns), time.Since(started).Seconds())
	}
	return nil
}

// pattern is what -test.run takes for a test's name, with / before a subtest's.
func pattern(test string) string {
	return "^" + strings.ReplaceAll(test, "/", "$/^") + "$"
}

// test runs some tests of a package and gives what they say.
func (s *suite) test(ctx context.Context, pkg, pattern, mutant string, limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit+killDelay)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.binaries[pkg], "-test.run", pattern, "-test.failfast", "-test.timeout", limit.String())
	cmd.Dir = filepath.Join("tests", pkg)
	cmd.Env = append(os.Environ(), "ATLAS_TEST_DATABASE_URL="+s.dsn, "ATLAS_TEST_SEED="+seed, harness.MutantVariable+"="+mutant)
	cmd.WaitDelay = killDelay
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	return said.String(), err
}

type end int

const (
	provesNothing end = iota
	lives
	isCaught
)

func (e end) String() string {
	return map[end]string{provesNothing: "proves nothing", lives: "lives", isCaught: "caught"}[e]
}

// result is how a mutant ended.
type result struct {
	mutant     mutants.Mutant
	end        end
	why        string // of a run that proves nothing
	test       string
	operations int
	took       time.Duration
	output     string
}

func (r result) isAsExpected() bool {
	if r.mutant.Lives != "" {
		return r.end == lives
	}
	return r.end == isCaught
}

func (r result) String() string {
	switch r.end {
	case isCaught:
		return fmt.Sprintf("caught by %s after %d operations (%.1f s)", r.test, r.operations, r.took.Seconds())
	case lives:
		return fmt.Sprintf("lives (%.1f s)", r.took.Seconds())
	default:
		return fmt.Sprintf("proves nothing: %s (%.1f s)", r.why, r.took.Seconds())
	}
}

// plant runs a mutant's test and judges what came of it.
func (s *suite) plant(ctx context.Context, m mutants.Mutant) result {
	started := time.Now()
	said, err := s.test(ctx, m.Package, pattern(m.Test), m.Name, testLimit)
	return judge(result{mutant: m, took: time.Since(started), output: said}, err)
}

var (
	planted = saysOf(harness.MutantPlanted)
	caught  = saysOf(harness.MutantCaught)
	// A name or a type that is not there is no mistake anybody would make: the mutant is misspelled.
	misspelled = regexp.MustCompile(`SQLSTATE (42[0-9A-Z]{3})`)
)

// saysOf turns a format of the harness into an expression for the values in it.
func saysOf(format string) *regexp.Regexp {
	return regexp.MustCompile("(?m)^harness: " + strings.NewReplacer("%s", "(.+?)", "%d", `(\d+)`).Replace(format) + "$")
}

// judge says how a run with a mutant ended: only a test that fails with the mutant in its database has caught it.
func judge(r result, err error) result {
	failed := caught.FindStringSubmatch(r.output)
	var exit *exec.ExitError
	switch {
	case !planted.MatchString(r.output):
		r.why = "the mutant was planted nowhere"
	case err == nil:
		r.end = lives
	case !errors.As(err, &exit) || exit.ExitCode() != 1:
		r.why = "the tests did not end: " + err.Error()
	case failed == nil:
		r.why = "no test with the mutant failed, and yet they failed"
	default:
		for _, state := range misspelled.FindAllStringSubmatch(r.output, -1) {
			if state[1] != "42501" { // rights are what tests try
				r.why = "the function is broken in another way: SQLSTATE " + state[1]
				return r
			}
		}
		r.end, r.test = isCaught, failed[2]
		r.operations, _ = strconv.Atoi(failed[3])
	}
	return r
}
