// Package nodes looks at the VPN nodes that a worker can work with: our own and a bare Xray core as real processes, a
// Remnawave panel as a fake of its API. All have to behave alike.
package nodes

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"atlas-secure/tests/harness"
	"atlas-secure/tests/leaks"
)

const buildTime = 20 * time.Minute

// programs is the folder with the binaries of module cmd/vpnnode.
var programs string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "nodes:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if programs, err = os.MkdirTemp("", "atlas-nodes-"); err != nil {
		return 1, fmt.Errorf("a folder for the programs: %w", err)
	}
	defer func() { _ = os.RemoveAll(programs) }()
	module := filepath.Join("..", "..", "cmd", "vpnnode")
	// The go command notes what is looked at, and does not take an earlier result for this one when it has changed.
	if err := filepath.WalkDir(module, func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
		return 1, fmt.Errorf("looking at the sources: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), buildTime)
	defer cancel()
	build := exec.CommandContext(ctx, "go", "build", "-o", programs, ".", "./cmd/barecore", "./cmd/fetch")
	build.Dir = module
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building the nodes: %w\n%s", err, out)
	}
	return leaks.Check(harness.Run(m)), nil
}
