package vpn

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"atlas-secure/internal/atlas"
)

// ErrDown means that the node as a whole is of no use at the moment: it cannot be reached, does not answer in time, is
// overloaded, or does not accept our key. The call may or may not have had its effect; repeat it later.
var ErrDown = errors.New("VPN node is down")

// Node is a VPN server, or a panel of some, whose users come and go while it runs.
type Node interface {
	// Add lets the user in, or sets what has changed of one who is in, and returns the key: a vless:// link, or the https
	// address of a subscription.
	Add(ctx context.Context, user atlas.VPNUser) (keyURI string, err error)
	// Remove takes the user's access away. A user who is not there is no error.
	Remove(ctx context.Context, uuid string) error
	// Set compares the node's users with the wanted ones and mends the difference, both ways. It reads its own users first
	// and asks for the wanted ones then: whoever was added meanwhile is among them. What it did before an error counts.
	Set(ctx context.Context, wanted func(ctx context.Context) (Wanted, error)) (Changes, error)
	// Health asks whether the node works.
	Health(ctx context.Context) (Health, error)
}

// Named is a node and what it is called in the configuration, in the database and in metrics.
type Named struct {
	Name string
	Node
	close func()
}

// Close lets go of idle connections. The node can still be used.
func (n Named) Close() {
	if n.close != nil {
		n.close()
	}
}

// Wanted is whom a node should let in.
type Wanted struct {
	Users  []atlas.VPNUser
	Spared map[string]bool // by uuid: they may be there already, and stay if they are
}

// Changes is what Set had to do.
type Changes struct {
	Added   int // were missing
	Changed int // were there otherwise
	Removed int // were strangers
}

// Total is the number of users that were not as wanted.
func (c Changes) Total() int { return c.Added + c.Changed + c.Removed }

// Health is what a node says about itself.
type Health struct {
	Status     string    `json:"status"`
	InstanceID string    `json:"instance_id"` // of our own node: another one after each start
	StartedAt  time.Time `json:"started_at"`
	Users      int       `json:"users"`
}

// RefusedError is the node's refusal of one call.
type RefusedError struct {
	Status int    // of HTTP; 0 if the node speaks something else
	Code   string // the node's own, if it has any
	Reason string // in the node's words
}

// Error gives the status, the code and the reason.
func (e *RefusedError) Error() string {
	words := []string{"VPN node answered"}
	if e.Status != 0 {
		words = append(words, strconv.Itoa(e.Status))
	}
	if e.Code != "" {
		words = append(words, e.Code)
	}
	return strings.Join(words, " ") + ": " + e.Reason
}
