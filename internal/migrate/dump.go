package migrate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/sandbox/postgres"
	"atlas-secure/internal/sandbox/process"
)

// goldenMajor is the version whose pg_dump makes sql/schema.sql: the text differs between versions.
const goldenMajor = 15

var (
	dumpNoise = regexp.MustCompile(`(?m)^(\\(un)?restrict .*|-- Dumped (from|by) .*)\n`)
	manyLines = regexp.MustCompile(`\n{3,}`)
)

// dump is the database's schema as text: pg_dump of the server's own version, without goose's table,
// without what differs from run to run or from one minor version to the next.
func (s *scratch) dump(ctx context.Context, dsn string) (string, error) {
	dir, err := s.clientDir(ctx)
	if err != nil {
		return "", err
	}
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return "", fmt.Errorf("database URL: %w", err)
	}
	env := append(os.Environ(), "PGHOST="+c.Host, "PGPORT="+strconv.Itoa(int(c.Port)), "PGUSER="+c.User,
		"PGPASSWORD="+c.Password, "PGDATABASE="+c.Database, "PGOPTIONS=", "LC_ALL=C")
	out, err := process.Run(ctx, nil, env, filepath.Join(dir, "pg_dump"),
		"--schema-only", "--no-owner", "--no-tablespaces", "--exclude-table="+s.config.Table)
	if err != nil {
		return "", err
	}
	return normalise(strings.TrimLeft(manyLines.ReplaceAllString(dumpNoise.ReplaceAllString(out, ""), "\n\n"), "\n")), nil
}

func (s *scratch) clientDir(ctx context.Context) (string, error) {
	if s.server != nil && s.server.BinDir() != "" {
		if _, err := os.Stat(filepath.Join(s.server.BinDir(), "pg_dump")); err == nil {
			return s.server.BinDir(), nil
		}
	}
	dir, err := postgres.FindBinDir(ctx, s.major)
	if err != nil {
		return "", fmt.Errorf("pg_dump of PostgreSQL %d, the server's version: %w", s.major, err)
	}
	return dir, nil
}

// difference shows where two texts part, with the line they part at; empty when they are equal.
func difference(left, right, leftName, rightName string) []string {
	if left == right {
		return nil
	}
	a, b := strings.Split(left, "\n"), strings.Split(right, "\n")
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	endA, endB := len(a), len(b)
	for endA > start && endB > start && a[endA-1] == b[endB-1] {
		endA, endB = endA-1, endB-1
	}
	problems := []string{fmt.Sprintf("%s and %s differ from line %d on", leftName, rightName, start+1)}
	problems = append(problems, excerpt(leftName, a[start:endA])...)
	return append(problems, excerpt(rightName, b[start:endB])...)
}

const excerptLines = 6

func excerpt(name string, lines []string) []string {
	var shown []string
	for i, line := range lines {
		if i == excerptLines {
			shown = append(shown, fmt.Sprintf("  %s: … and %d lines more", name, len(lines)-i))
			break
		}
		shown = append(shown, fmt.Sprintf("  %s: %s", name, line))
	}
	return shown
}
