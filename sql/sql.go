// Package sql carries the SQL of the project inside the binaries: the migrations that goose replays, and
// the functions and views they are generated from.
package sql

import "embed"

// Files holds the folders migrations, functions and views as they are in this folder. `all:` takes in
// the helpers too, whose names start with an underscore.
//
//go:embed all:migrations all:functions all:views
var Files embed.FS
