// Package e2e looks at the whole system from outside, as people, DBAs and operators do: it starts the sandbox with its
// real binaries, talks with the bot (through the persons' API, and in a browser), dials through the keys, types into psql,
// and kills processes.
package e2e

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// buildTime and startTime bound what happens before the first test.
const (
	buildTime = 20 * time.Minute
	startTime = 8 * time.Minute
	stopTime  = 2 * time.Minute
)

// root is the project's folder.
const root = "../.."

// What all tests share: a folder for everything, and the sandbox that they look at.
var (
	work   string
	shared *sandbox
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	// Not os.TempDir: the database's user has to get through, and the path of a socket is short.
	if work, err = os.MkdirTemp("/tmp", "atlas-e2e-"); err != nil {
		return 1, fmt.Errorf("a folder for the tests: %w", err)
	}
	defer func() {
		if code == 0 && err == nil {
			err = os.RemoveAll(work)
		} else {
			say("what the failed run left: %s", work)
		}
	}()
	if err := os.Chmod(work, 0o711); err != nil { // others may pass through, not look
		return 1, fmt.Errorf("a folder for the tests: %w", err)
	}
	if err := build(); err != nil {
		return 1, err
	}
	if shared, err = startSandbox(filepath.Join(work, "state")); err != nil {
		return 1, err
	}
	say("the sandbox is up: %s", shared.HTTP.Chat)
	// The tests mostly wait, for Telegram's limit of a message a second: there may be more of them than processors.
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		return 1, fmt.Errorf("running tests side by side: %w", err)
	}
	code = m.Run()
	return code, shared.stop()
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "e2e: "+format+"\n", args...) }

// binary is the path of a program of ours.
func binary(name string) string { return filepath.Join(work, "bin", "atlas-"+name) }

// build compiles the programs that are tested, as `make build` does, and the client that dials through keys.
func build() error {
	ctx, cancel := context.WithTimeout(context.Background(), buildTime)
	defer cancel()
	if err := lookAtSources(); err != nil {
		return err
	}
	started := time.Now()
	core, node := root, filepath.Join(root, "cmd", "vpnnode")
	for _, program := range []struct{ name, module, pkg string }{
		{"migrate", core, "./cmd/migrate"},
		{"bot", core, "./cmd/bot"},
		{"worker", core, "./cmd/worker"},
		{"sandbox", core, "./cmd/sandbox"},
		{"vpnnode", node, "."},
		{"fetch", node, "./cmd/fetch"},
	} {
		command := exec.CommandContext(ctx, "go", "build", "-o", binary(program.name), program.pkg)
		command.Dir = program.module
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", program.name, err, out)
		}
	}
	say("binaries are built (%s)", time.Since(started).Round(time.Second))
	return nil
}

// lookAtSources reads the folders that the programs are made of. The go command notes that, and does not take an earlier
// result for this one when a file in them has changed.
func lookAtSources() error {
	for _, folder := range []string{"cmd", "internal", "sql", "deploy"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			return fmt.Errorf("looking at the sources: %w", err)
		}
	}
	return nil
}
