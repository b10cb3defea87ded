package process

import "syscall"

// attributes puts the process in a group of its own and has the kernel send it the signal when its
// owner dies (the kernel forgets that on a change of uid, and Go asks after the change).
func attributes(whenOrphaned syscall.Signal, user *User) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: whenOrphaned, Credential: user.credential()}
}
