//go:build unix && !linux

package process

import "syscall"

// attributes puts the process in a group of its own. Ending it with its owner is something only Linux does.
func attributes(_ syscall.Signal, user *User) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: user.credential()}
}
