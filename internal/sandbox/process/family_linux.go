package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// Freeze stops a process and all that descend from it where they are (SIGSTOP), the oldest first, so that none of them
// has another child meanwhile.
func Freeze(pid int) error { return family(pid, syscall.SIGSTOP) }

// Thaw lets what Freeze has stopped go on (SIGCONT).
func Thaw(pid int) error { return family(pid, syscall.SIGCONT) }

func family(pid int, sig syscall.Signal) error {
	if err := syscall.Kill(pid, sig); err != nil {
		return fmt.Errorf("signal %v to process %d: %w", sig, pid, err)
	}
	if sig == syscall.SIGSTOP {
		for !isStoppedOrDead(pid) { // a matter of microseconds
			runtime.Gosched()
		}
	}
	children, err := childrenOf(pid)
	if err != nil {
		return err
	}
	for _, child := range children {
		if err := family(child, sig); err != nil && Alive(child) {
			return err
		}
	}
	return nil
}

// isStoppedOrDead counts the dead that nobody has waited for yet (Z) among the dead.
func isStoppedOrDead(pid int) bool {
	state, _, err := status(pid)
	return err != nil || state == "T" || state == "Z"
}

func childrenOf(parent int) ([]int, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var children []int
	for _, path := range paths {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		if state, of, err := status(pid); err == nil && of == parent && state != "Z" {
			children = append(children, pid)
		}
	}
	return children, nil
}

// status is a process's state (R, S, T, Z, …) and its parent.
func status(pid int) (state string, parent int, err error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, fmt.Errorf("state of process %d: %w", pid, err)
	}
	after := raw[bytes.LastIndexByte(raw, ')')+1:] // the name before it may have anything in it
	fields := strings.Fields(string(after))
	if len(fields) < 2 {
		return "", 0, fmt.Errorf("state of process %d: %q", pid, raw)
	}
	parent, err = strconv.Atoi(fields[1])
	return fields[0], parent, err //nolint:wrapcheck // a number from the kernel
}
