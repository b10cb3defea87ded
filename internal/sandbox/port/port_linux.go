package port

import (
	"errors"
	"syscall"
)

// reserve binds a socket that never listens. Linux lets a listener have the port beside it, since both have SO_REUSEADDR.
func reserve(number int) (*Reservation, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	release := func() error { return syscall.Close(fd) }
	fail := func(err error) (*Reservation, error) { return nil, errors.Join(err, release()) }
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return fail(err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: number, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fail(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		return fail(err)
	}
	address, ok := bound.(*syscall.SockaddrInet4)
	if !ok {
		return fail(errAddress)
	}
	return &Reservation{Number: address.Port, release: release}, nil
}
