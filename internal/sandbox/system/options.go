package system

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Options says where the system keeps its state and how much of it there is.
type Options struct {
	// StateDir keeps everything between runs; empty means DefaultStateDir.
	StateDir string
	// Fresh deletes what an earlier run left.
	Fresh bool
	// BinDir has the binaries atlas-bot, atlas-worker and atlas-vpnnode; empty means the folder of this program.
	BinDir string
	// Bots is how many bot processes there are; at least one.
	Bots int
	// Workers is how many worker processes there are; at least one.
	Workers int
	// Out is where the system says what it does.
	Out io.Writer
}

// DefaultStateDir is LOCAL_STATE_DIR; without it /var/lib/atlas-secure for root, else the XDG state folder.
func DefaultStateDir() (string, error) {
	if dir := os.Getenv("LOCAL_STATE_DIR"); dir != "" {
		return dir, nil
	}
	if os.Getuid() == 0 {
		return "/var/lib/atlas-secure", nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "atlas-secure"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no folder for the state: set LOCAL_STATE_DIR: %w", err)
	}
	return filepath.Join(home, ".local", "state", "atlas-secure"), nil
}

// complete fills in defaults and makes paths absolute.
func (o *Options) complete() (err error) {
	if o.StateDir == "" {
		if o.StateDir, err = DefaultStateDir(); err != nil {
			return err
		}
	}
	if o.StateDir, err = filepath.Abs(o.StateDir); err != nil {
		return fmt.Errorf("the state folder: %w", err)
	}
	if o.BinDir == "" {
		program, err := os.Executable()
		if err != nil {
			return fmt.Errorf("the folder of the binaries: %w", err)
		}
		o.BinDir = filepath.Dir(program)
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	o.Bots, o.Workers = max(o.Bots, 1), max(o.Workers, 1)
	var missing []error
	for _, program := range []string{"bot", "worker", "vpnnode"} {
		if _, err := os.Stat(o.binary(program)); err != nil {
			missing = append(missing, fmt.Errorf("%s is missing: make build", o.binary(program)))
		}
	}
	return errors.Join(missing...)
}

func (o *Options) binary(program string) string { return filepath.Join(o.BinDir, "atlas-"+program) }

func (o *Options) path(elements ...string) string {
	return filepath.Join(append([]string{o.StateDir}, elements...)...)
}
