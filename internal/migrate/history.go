package migrate

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	sumsFile       = "migrations.sum"
	snapshotSuffix = "_functions.sql"
)

// migration is one numbered file.
type migration struct {
	version int64
	file    string
	text    string
}

func (m migration) isSnapshot() bool { return strings.HasSuffix(m.file, snapshotSuffix) }

func (m migration) sum() string {
	digest := sha256.Sum256([]byte(m.text))
	return hex.EncodeToString(digest[:])
}

var migrationName = regexp.MustCompile(`^(\d{5})_[a-z0-9_]+\.sql$`)

// loadMigrations reads the numbered files in order.
func loadMigrations(migrations fs.FS) ([]migration, error) {
	entries, err := fs.ReadDir(migrations, ".")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	var all []migration
	for _, e := range entries {
		if path.Ext(e.Name()) != ".sql" {
			continue
		}
		match := migrationName.FindStringSubmatch(e.Name())
		if match == nil {
			return nil, fmt.Errorf("%s: a migration is named like 00001_words.sql", e.Name())
		}
		version, err := strconv.ParseInt(match[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		if len(all) > 0 && all[len(all)-1].version == version {
			return nil, fmt.Errorf("%s and %s have the same number", all[len(all)-1].file, e.Name())
		}
		raw, err := fs.ReadFile(migrations, e.Name())
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", e.Name(), err)
		}
		all = append(all, migration{version: version, file: e.Name(), text: string(raw)})
	}
	return all, nil
}

// replay is the set of functions and views that the snapshots among these migrations leave behind.
func replay(all []migration) (objects, error) {
	state := objects{}
	for _, m := range all {
		if !m.isSnapshot() {
			continue
		}
		if err := replayOne(state, m); err != nil {
			return nil, fmt.Errorf("%s: %w", m.file, err)
		}
	}
	return state, nil
}

func replayOne(state objects, m migration) error {
	var key string
	var body *strings.Builder
	scanner := bufio.NewScanner(strings.NewReader(m.text))
	scanner.Buffer(nil, len(m.text)+1)
	for scanner.Scan() {
		line := scanner.Text()
		switch {
		case line == "-- +goose Down":
			return nil
		case line == "-- +goose StatementBegin":
			body = &strings.Builder{}
		case line == "-- +goose StatementEnd":
			k, schema, name, err := parseKey(key)
			if err != nil {
				return err
			}
			state[key] = object{kind: k, schema: schema, name: name, text: body.String()}
			body = nil
		case body != nil:
			body.WriteString(line + "\n")
		case strings.HasPrefix(line, fileMark):
			key = strings.TrimPrefix(line, fileMark)
		case strings.HasPrefix(line, goneMark):
			delete(state, strings.TrimPrefix(line, goneMark))
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}

// readSums reads migrations.sum, which sha256sum -c understands; a missing file is an empty one.
func readSums(migrations fs.FS) (map[string]string, error) {
	raw, err := fs.ReadFile(migrations, sumsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", sumsFile, err)
	}
	sums := map[string]string{}
	for i, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		sum, file, ok := strings.Cut(line, "  ")
		if !ok {
			return nil, fmt.Errorf("%s, line %d: `<sha256>  <file>` expected", sumsFile, i+1)
		}
		sums[file] = sum
	}
	return sums, nil
}

func formatSums(all []migration) string {
	var b strings.Builder
	for _, m := range all {
		fmt.Fprintf(&b, "%s  %s\n", m.sum(), m.file)
	}
	return b.String()
}

// compareSums names every migration that is not what migrations.sum says.
func compareSums(all []migration, sums map[string]string) []string {
	var problems []string
	known := map[string]bool{}
	for _, m := range all {
		known[m.file] = true
		switch sum, ok := sums[m.file]; {
		case !ok:
			problems = append(problems, m.file+" is not in "+sumsFile+": run `make sql/snapshot`")
		case sum != m.sum():
			problems = append(problems, m.file+" was edited after it was written: released migrations are for ever, "+
				"write a new one (before the first release: `make sql/snapshot`)")
		}
	}
	for file := range sums {
		if !known[file] {
			problems = append(problems, file+" is in "+sumsFile+" and gone from the folder")
		}
	}
	slices.Sort(problems)
	return problems
}

var releaseHeading = regexp.MustCompile(`(?m)^## \[\d+\.\d+\.\d+`)

// isReleased tells whether the changelog has a version: from then on migrations are immutable.
func isReleased(project fs.FS) (bool, error) {
	raw, err := fs.ReadFile(project, "CHANGELOG.md")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read changelog: %w", err)
	}
	return releaseHeading.Match(raw), nil
}
