// Package port keeps a TCP port of 127.0.0.1 for a server that runs as a process of its own. Finding a free port and
// letting go of it would do until somebody else happens to be given the same one, at the latest while the server is
// being started again.
package port

import (
	"errors"
	"fmt"
)

// Reservation is a port that the system gives to nobody who asks for any free one. A server that names it (and sets
// SO_REUSEADDR, as servers do) can listen at it, as often as it likes. Where a port cannot be kept, it was free at least.
type Reservation struct {
	// Number is the port.
	Number int

	release func() error
}

// Reserve keeps the port with this number, or any free one for 0.
func Reserve(number int) (*Reservation, error) {
	r, err := reserve(number)
	if err != nil {
		return nil, fmt.Errorf("keep a port of 127.0.0.1: %w", err)
	}
	return r, nil
}

// Address is host and port.
func (r *Reservation) Address() string { return fmt.Sprintf("127.0.0.1:%d", r.Number) }

// Close gives the port back. It may be called again, and for no reservation.
func (r *Reservation) Close() error {
	if r == nil || r.release == nil {
		return nil
	}
	release := r.release
	r.release = nil
	if err := release(); err != nil {
		return fmt.Errorf("give port %d back: %w", r.Number, err)
	}
	return nil
}

var errAddress = errors.New("unexpected kind of address")
