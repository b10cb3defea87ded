// Package shape_test looks at the sources themselves: what a reviewer would otherwise have to look for each time.
package shape_test

import (
	"bytes"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	root = "../.."
	// maxLines is how long a file of Go may be that somebody has to read.
	maxLines = 400
	money    = "atlas-secure/internal/atlas.Kopecks"
)

// handlers are the packages that only say what a person sees: they neither ask the database in its own words nor reckon.
var handlers = []string{"atlas-secure/internal/bot", "atlas-secure/internal/bot/screen", "atlas-secure/internal/bot/notice"}

// TestNoFileIsTooLong but those that protoc writes.
func TestNoFileIsTooLong(t *testing.T) {
	t.Parallel()
	seen := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "bin" || entry.Name() == ".git") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".pb.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		seen++
		if lines := bytes.Count(source, []byte("\n")); lines > maxLines {
			t.Errorf("%s has %d lines, and %d are the most: split it by what it is about", path, lines, maxLines)
		}
		return err
	}))
	require.Greater(t, seen, 300, "the search finds the sources")
}

// TestHandlersHaveNoSQL: depguard keeps the drivers out; this keeps the words out.
func TestHandlersHaveNoSQL(t *testing.T) {
	t.Parallel()
	for _, each := range handlers {
		for _, found := range sqlIn(parse(t, each)) {
			t.Errorf("%s: SQL belongs to internal/sqlapi", found)
		}
	}
	bad := parseText(t, `package x; var q = "select available_kopecks\nfrom wallet.balance($1)"; var w = "UPDATE wallet.wallet SET x = 1"`)
	require.Len(t, sqlIn(bad), 2, "the search finds what it is for")
	require.Empty(t, sqlIn(parseText(t, `package x; var s = "Select a plan from the list"`)))
}

// TestHandlersDoNotReckonWithMoney: what something costs, and what is left, is the database's to say.
func TestHandlersDoNotReckonWithMoney(t *testing.T) {
	t.Parallel()
	exports := exportsOf(t)
	for _, each := range handlers {
		for _, found := range arithmeticIn(t, parse(t, each), each, exports) {
			t.Errorf("%s: reckoning with money belongs to SQL", found)
		}
	}
	bad := parseText(t, `package x
import "atlas-secure/internal/atlas"
func f(a, b atlas.Kopecks, n int) (atlas.Kopecks, int64) {
	a += b
	a++
	if a > b && n+1 > 0 {
		return a - b, int64(b) * 2
	}
	return -a, int64(atlas.Roubles(int64(n + 1)))
}`)
	require.Len(t, arithmeticIn(t, bad, "x", exports), 5, "the search finds what it is for, and nothing else")
}

// source is a parsed package.
type source struct {
	set   *token.FileSet
	files []*ast.File
}

func parse(t *testing.T, path string) source {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, strings.TrimPrefix(path, "atlas-secure/"), "*.go"))
	require.NoError(t, err)
	s := source{set: token.NewFileSet()}
	for _, name := range found {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(s.set, name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		s.files = append(s.files, file)
	}
	require.NotEmpty(t, s.files, path)
	return s
}

func parseText(t *testing.T, text string) source {
	t.Helper()
	s := source{set: token.NewFileSet()}
	file, err := parser.ParseFile(s.set, "x.go", text, parser.SkipObjectResolution)
	require.NoError(t, err)
	s.files = []*ast.File{file}
	return s
}

// statement is SQL: statements with their second word, and calls of the schemas' functions.
var statement = regexp.MustCompile(`(?is)\bselect\b.+\bfrom\s+\w+\.\w+|\binsert\s+into\b|\bupdate\s+\w+\.\w+\s+set\b|\bdelete\s+from\b|` +
	`\b(call|perform|select)\s+\w+\.\w+\s*\(`)

func sqlIn(s source) []string {
	var found []string
	for _, file := range s.files {
		ast.Inspect(file, func(node ast.Node) bool {
			literal, is := node.(*ast.BasicLit)
			if !is || literal.Kind != token.STRING {
				return true
			}
			if text, err := strconv.Unquote(literal.Value); err == nil && statement.MatchString(text) {
				found = append(found, s.set.Position(literal.Pos()).String())
			}
			return true
		})
	}
	return found
}

// exportsOf finds what the compiler wrote of each package that the handlers import.
func exportsOf(t *testing.T) map[string]string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}"}, handlers...)...)
	command.Dir = root
	output, err := command.Output()
	require.NoError(t, err)
	exports := map[string]string{}
	for line := range strings.Lines(string(output)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		exports[path] = file
	}
	return exports
}

// arithmeticIn finds where a package adds, subtracts, multiplies or divides with money in it.
func arithmeticIn(t *testing.T, s source, path string, exports map[string]string) []string {
	t.Helper()
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	look := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	config := types.Config{Importer: importer.ForCompiler(s.set, "gc", look)}
	_, err := config.Check(path, s.set, s.files, info)
	require.NoError(t, err)
	var found []string
	for _, file := range s.files {
		ast.Inspect(file, func(node ast.Node) bool {
			if isReckoning(node, info) {
				found = append(found, s.set.Position(node.Pos()).String())
				return false
			}
			return true
		})
	}
	return found
}

func isReckoning(node ast.Node, info *types.Info) bool {
	switch n := node.(type) {
	case *ast.BinaryExpr:
		return isArithmetic(n.Op) && (hasMoney(n.X, info) || hasMoney(n.Y, info))
	case *ast.UnaryExpr:
		return n.Op == token.SUB && hasMoney(n.X, info)
	case *ast.IncDecStmt:
		return hasMoney(n.X, info)
	case *ast.AssignStmt:
		return n.Tok != token.ASSIGN && n.Tok != token.DEFINE && hasMoney(n.Lhs[0], info)
	}
	return false
}

func isArithmetic(op token.Token) bool {
	return op == token.ADD || op == token.SUB || op == token.MUL || op == token.QUO || op == token.REM || op == token.SHL || op == token.SHR
}

// hasMoney says whether an expression is money, or a number that was made of money.
func hasMoney(expression ast.Expr, info *types.Info) bool {
	if kind := info.Types[expression].Type; kind != nil && kind.String() == money {
		return true
	}
	switch e := expression.(type) {
	case *ast.ParenExpr:
		return hasMoney(e.X, info)
	case *ast.BinaryExpr:
		return hasMoney(e.X, info) || hasMoney(e.Y, info)
	case *ast.CallExpr: // a conversion, not the answer of a function
		return info.Types[e.Fun].IsType() && len(e.Args) == 1 && hasMoney(e.Args[0], info)
	}
	return false
}
