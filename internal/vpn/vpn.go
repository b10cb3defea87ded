package vpn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"atlas-secure/internal/atlas"
)

// ErrDown means that the node as a whole is of no use at the moment: it cannot be reached, does not answer in time, is
// overloaded, or does not accept our key. The call may or may not have had its effect; repeat it later.
var ErrDown = errors.New("VPN node is down")

// Node is a VPN server whose users come and go while it runs.
type Node interface {
	// Add lets the user in, or sets the device limit of one who is in, and returns the key (a vless:// link).
	Add(ctx context.Context, user atlas.VPNUser) (keyURI string, err error)
	// Remove takes the user's access away and closes the user's connections. A user who is not there is no error.
	Remove(ctx context.Context, uuid string) error
	// Set makes the node's list of users exactly this one.
	Set(ctx context.Context, users []atlas.VPNUser) error
	// Health asks whether the node works, and which start of it this is.
	Health(ctx context.Context) (Health, error)
}

// Health is what a node says about itself.
type Health struct {
	Status     string    `json:"status"`
	InstanceID string    `json:"instance_id"` // another one after each start: then the node has forgotten its users
	StartedAt  time.Time `json:"started_at"`
	Users      int       `json:"users"`
}

// RefusedError is the node's refusal of one call.
type RefusedError struct {
	Status int    // of HTTP
	Reason string // in the node's words
}

// Error gives the status and the reason.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("VPN node answered %d: %s", e.Status, e.Reason)
}
