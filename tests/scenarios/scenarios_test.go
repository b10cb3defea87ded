// Package scenarios_test keeps the list of what the system has to survive, and finds a test for each line.
package scenarios_test

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	root = "../.."
	list = "testdata/scenarios.txt"
)

var (
	line = regexp.MustCompile(`^([A-HTX]\d+)( later)?\s+(\S.*\.\)?)$`)
	// test takes a test's name apart: one id or several, and words.
	test = regexp.MustCompile(`^(?:Test|Fuzz)((?:[A-HTX][0-9]+)+)(?:[A-Z]\w*)?$`)
	spec = regexp.MustCompile(`(?i)^([A-HTX][0-9]+)_\w+\.(?:spec|sql)$`)
	id   = regexp.MustCompile(`[A-HTX][0-9]+`)
)

// scenario is one line of the list.
type scenario struct {
	id      string
	isLater bool
}

func scenarios(t *testing.T) []scenario {
	t.Helper()
	text, err := os.ReadFile(list)
	require.NoError(t, err)
	var all []scenario
	known := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if lines.Text() == "" || strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		parts := line.FindStringSubmatch(lines.Text())
		require.NotNil(t, parts, "%s: not an id and a sentence: %q", list, lines.Text())
		require.False(t, known[parts[1]], "%s: %s is there twice", list, parts[1])
		known[parts[1]] = true
		all = append(all, scenario{parts[1], parts[2] != ""})
	}
	require.NoError(t, lines.Err())
	return all
}

// tests are the places of tests and specs by the ids that their names bear.
func tests(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	note := func(ids, place string) {
		for _, each := range id.FindAllString(strings.ToUpper(ids), -1) {
			found[each] = append(found[each], place)
		}
	}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "bin" || entry.Name() == ".git") {
			return filepath.SkipDir
		}
		if parts := spec.FindStringSubmatch(entry.Name()); parts != nil {
			note(parts[1], path)
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declared := range file.Decls {
			function, isFunction := declared.(*ast.FuncDecl)
			if !isFunction || function.Recv != nil {
				continue
			}
			if parts := test.FindStringSubmatch(function.Name.Name); parts != nil {
				note(parts[1], path+": "+function.Name.Name)
			}
		}
		return nil
	}))
	return found
}

// TestEveryScenarioHasATest: a line without a test, a test that the list does not know, and a "later" that is over fail.
func TestEveryScenarioHasATest(t *testing.T) {
	t.Parallel()
	found := tests(t)
	for _, s := range scenarios(t) {
		switch places := found[s.id]; {
		case s.isLater:
			assert.Empty(t, places, "%s: %s has a test now: take its \"later\" away", list, s.id)
		default:
			assert.NotEmpty(t, places, "%s: no test bears the id %s", list, s.id)
		}
		delete(found, s.id)
	}
	require.Empty(t, found, "%s does not know these ids", list)
}
