// Package property_test lets random sequences of calls run against the database and against a model of the business in
// plain Go (package model), and demands that both say and hold the same after every call. A failure is shrunk to a few
// calls and printed with its seed.
//
// ATLAS_TEST_SEED=n repeats a run. More of it: make test PKG=./tests/property ARGS=-rapid.checks=2000.
package property_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"atlas-secure/tests/harness"
)

// What rapid does unless flags or its own environment variables say otherwise: so many sequences, of so many commands
// on average.
const (
	sequences = "150"
	commands  = "80"
)

func TestMain(m *testing.M) {
	flag.Parse()
	set := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { set[f.Name] = true })
	for name, values := range map[string][2]string{
		"rapid.checks":     {"RAPID_CHECKS", sequences},
		"rapid.steps":      {"RAPID_STEPS", commands},
		"rapid.seed":       {"RAPID_SEED", os.Getenv("ATLAS_TEST_SEED")},
		"rapid.shrinktime": {"RAPID_SHRINKTIME", "3s"},
		"rapid.nofailfile": {"RAPID_NOFAILFILE", "true"}, // the seed is enough
	} {
		if _, isSet := os.LookupEnv(values[0]); isSet || set[name] || values[1] == "" {
			continue
		}
		if err := flag.Set(name, values[1]); err != nil {
			fmt.Fprintf(os.Stderr, "property: %s=%s: %v\n", name, values[1], err)
			os.Exit(1)
		}
	}
	os.Exit(harness.Run(m))
}
