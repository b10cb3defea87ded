//go:build !linux

package port

import (
	"context"
	"fmt"
	"net"
)

// reserve only looks whether the port is free: a bound socket would keep the server away as well.
func reserve(number int) (*Reservation, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", fmt.Sprintf("127.0.0.1:%d", number))
	if err != nil {
		return nil, err
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		return nil, err
	}
	if !ok {
		return nil, errAddress
	}
	return &Reservation{Number: address.Port}, nil
}
