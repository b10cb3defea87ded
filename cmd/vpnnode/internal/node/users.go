package node

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/xtls/xray-core/common/protocol"
	"github.com/xtls/xray-core/common/serial"
	"github.com/xtls/xray-core/proxy/vless"

	"atlas-secure/vpnnode/internal/gate"
	"atlas-secure/vpnnode/internal/link"
)

// ErrListChanged is returned by Set when the list is no longer the one that the caller looked at.
var ErrListChanged = errors.New("the list of users has changed since that revision")

// User is who may connect.
type User struct {
	ID          string // uuid in lower case
	DeviceLimit int    // distinct addresses at once; 0: no limit
}

// Traffic is counted from the start of the node, as customers see it. A long transfer is counted when it ends.
type Traffic struct {
	UpBytes   int64
	DownBytes int64
}

// Usage is what one user does.
type Usage struct {
	ID string
	gate.Usage
	Traffic
}

// Changes says what Set did.
type Changes struct {
	Added   int
	Removed int
	Kept    int
}

// Add lets the user in and returns the key. Adding a user twice sets the device limit again.
func (n *Node) Add(ctx context.Context, user User) (vlessLink string, err error) {
	n.changes.Lock()
	defer n.changes.Unlock()
	if err := ctx.Err(); err != nil { // whoever asked has given up and may have decided otherwise since
		return "", err
	}
	n.revision++
	if err := n.add(ctx, user); err != nil {
		return "", err
	}
	return n.Link(user.ID), nil
}

// Remove takes the user off the list and closes the user's connections.
func (n *Node) Remove(ctx context.Context, userID string) (wasThere bool, err error) {
	n.changes.Lock()
	defer n.changes.Unlock()
	if err := ctx.Err(); err != nil {
		return false, err
	}
	n.revision++
	return n.remove(ctx, userID)
}

// Set makes the list exactly the wanted one. When a revision is given and the list has been changed since, nothing is
// done and ErrListChanged is returned: the wanted list was made before that change and would undo it.
func (n *Node) Set(ctx context.Context, wanted []User, revision string) (Changes, error) {
	n.changes.Lock()
	defer n.changes.Unlock()
	if err := ctx.Err(); err != nil {
		return Changes{}, err
	}
	if revision != "" && revision != n.revisionText() {
		return Changes{}, ErrListChanged
	}
	n.revision++
	var changes Changes
	surplus := n.gate.Users()
	for _, user := range wanted {
		if n.gate.Holds(user.ID) {
			changes.Kept++
		} else {
			changes.Added++
		}
		delete(surplus, user.ID)
		if err := n.add(ctx, user); err != nil {
			return changes, err
		}
	}
	for id := range surplus {
		if _, err := n.remove(ctx, id); err != nil {
			return changes, err
		}
		changes.Removed++
	}
	return changes, nil
}

// Revision names the present state of the list of users; every change makes a new one.
func (n *Node) Revision() string {
	n.changes.Lock()
	defer n.changes.Unlock()
	return n.revisionText()
}

func (n *Node) revisionText() string { return n.instanceID + "." + strconv.FormatUint(n.revision, 10) }

// Len is the number of users on the list.
func (n *Node) Len() int { return n.gate.Len() }

// Users lists everybody on the list, in order of their ids.
func (n *Node) Users() []Usage {
	usage := n.gate.Users()
	list := make([]Usage, 0, len(usage))
	for _, id := range slices.Sorted(maps.Keys(usage)) {
		list = append(list, Usage{ID: id, Usage: usage[id], Traffic: n.trafficOf(id)})
	}
	return list
}

// Total is the traffic of all users since the start, also of those who are gone.
func (n *Node) Total() Traffic {
	n.changes.Lock()
	defer n.changes.Unlock()
	total := n.retired
	for id := range n.gate.Users() {
		total = total.plus(n.trafficOf(id))
	}
	return total
}

// Refusals counts the connections that the gate turned away.
func (n *Node) Refusals() gate.Refusals { return n.gate.Refusals() }

// add opens the gate first, so that nobody whom Xray knows finds it closed.
func (n *Node) add(ctx context.Context, user User) error {
	n.gate.Allow(user.ID, user.DeviceLimit)
	if n.userList.GetUser(ctx, user.ID) != nil {
		return nil
	}
	member, err := (&protocol.User{
		Email:   user.ID, // Xray's name for a user
		Account: serial.ToTypedMessage(&vless.Account{Id: user.ID, Flow: link.Vision, Encryption: "none"}),
	}).ToMemoryUser()
	if err == nil {
		err = n.userList.AddUser(ctx, member)
	}
	if err != nil {
		n.gate.Forbid(user.ID)
		return fmt.Errorf("add the user to Xray: %w", err)
	}
	return nil
}

// remove makes Xray forget the user before the gate closes: who comes in between is closed with the others.
func (n *Node) remove(ctx context.Context, userID string) (wasThere bool, err error) {
	if n.userList.GetUser(ctx, userID) != nil {
		if err := n.userList.RemoveUser(ctx, userID); err != nil {
			return false, fmt.Errorf("remove the user from Xray: %w", err)
		}
	}
	wasThere = n.gate.Forbid(userID)
	n.retired = n.retired.plus(n.trafficOf(userID))
	for _, name := range counterNames(userID) {
		if err := n.stats.UnregisterCounter(name); err != nil {
			return wasThere, fmt.Errorf("forget the user's traffic: %w", err)
		}
	}
	return wasThere, nil
}

func (n *Node) trafficOf(userID string) Traffic {
	var bytes [2]int64
	for i, name := range counterNames(userID) {
		if counter := n.stats.GetCounter(name); counter != nil {
			bytes[i] = counter.Value()
		}
	}
	return Traffic{UpBytes: bytes[0], DownBytes: bytes[1]}
}

func (t Traffic) plus(other Traffic) Traffic {
	return Traffic{UpBytes: t.UpBytes + other.UpBytes, DownBytes: t.DownBytes + other.DownBytes}
}

// counterNames are Xray's, up and down.
func counterNames(userID string) [2]string {
	return [2]string{"user>>>" + userID + ">>>traffic>>>uplink", "user>>>" + userID + ">>>traffic>>>downlink"}
}
