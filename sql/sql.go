// Package sql carries the SQL of the project inside the binaries: the migrations that goose replays, and
// the functions and views they are generated from.
package sql

import (
	"embed"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Files holds the folders migrations, functions and views as they are in this folder. `all:` takes in
// the helpers too, whose names start with an underscore.
//
//go:embed all:migrations all:functions all:views
var Files embed.FS

// Version is the number of the newest migration.
func Version() int64 {
	var newest int64
	files, _ := fs.Glob(Files, "migrations/*.sql") // only a malformed pattern is an error
	for _, file := range files {
		number, _, _ := strings.Cut(path.Base(file), "_")
		if version, err := strconv.ParseInt(number, 10, 64); err == nil {
			newest = max(newest, version)
		}
	}
	return newest
}
