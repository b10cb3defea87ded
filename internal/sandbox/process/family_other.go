//go:build !linux

package process

import "errors"

var errFamily = errors.New("only on Linux are a process's descendants known")

// Freeze stops a process and all that descend from it; it needs Linux.
func Freeze(int) error { return errFamily }

// Thaw lets what Freeze has stopped go on; it needs Linux.
func Thaw(int) error { return errFamily }
