package process

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// User is another user of this machine, to run a program as.
type User struct {
	Name string
	UID  uint32
	GID  uint32
}

// Unprivileged returns whom to run a server as that refuses uid 0: nobody else (nil) when this process
// is not root, otherwise the first of the named users that exists.
func Unprivileged(names ...string) (*User, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // no other user is needed, and that is no error
	}
	for _, name := range names {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("uid of %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("gid of %s: %w", name, err)
		}
		if uid != 0 {
			return &User{Name: name, UID: uint32(uid), GID: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("none of the users %v exists on this machine", names)
}

// Own makes a folder that only the user (this process's own when nil) may enter, and returns an error
// that names what is in the way.
func (u *User) Own(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if u == nil {
		return nil
	}
	if err := os.Chown(dir, int(u.UID), int(u.GID)); err != nil {
		return fmt.Errorf("give folder to %s: %w", u.Name, err)
	}
	return nil
}

// Alive tells whether a process with this id exists.
func Alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

func isGone(err error) bool {
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}

func (u *User) credential() *syscall.Credential {
	if u == nil {
		return nil
	}
	return &syscall.Credential{Uid: u.UID, Gid: u.GID}
}
