package migrate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// direct compares the replayed database with one where the files of today stand in for all snapshots:
// functions in the place of the first one, views (and what is bound to them) at the end.
func (v *verifier) direct(ctx context.Context, replayed string) (problems []string, err error) {
	dir, err := os.MkdirTemp("", "atlas-direct-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, m := range directMigrations(v.history, v.files) {
		if err := writeFile(filepath.Join(dir, m.file), m.text); err != nil {
			return nil, err
		}
	}
	loaded, err := v.scratch.migrated(ctx, "direct", os.DirFS(dir))
	if err != nil {
		return nil, err
	}
	left, err := v.scratch.dump(ctx, replayed)
	if err != nil {
		return nil, err
	}
	right, err := v.scratch.dump(ctx, loaded)
	return difference(left, right, "replayed", "direct"), err
}

func directMigrations(history []migration, files objects) []migration {
	late := map[string]bool{}
	for key, o := range files {
		late[key] = o.kind == kindView
	}
	spread(files, late)
	functions := objects{}
	for key, o := range files {
		if !late[key] {
			functions[key] = o
		}
	}
	var direct []migration
	var last int64
	isLoaded := false
	for _, m := range history {
		last = m.version
		switch {
		case !m.isSnapshot():
			direct = append(direct, m)
		case !isLoaded:
			direct = append(direct, migration{file: m.file, text: renderSnapshot(objects{}, functions)})
			isLoaded = true
		}
	}
	views := migration{file: fmt.Sprintf("%05d_views.sql", last+1), text: renderSnapshot(functions, files)}
	return append(direct, views)
}
