// Package gate decides who may send traffic through the node at this moment. It knows the users, their device limits and
// their open connections, and closes the connections of a user who is taken off the list: Xray itself forgets a removed
// user for new connections only.
//
// It sits round Xray's dispatcher (see Dispatcher), which every connection passes once the core has authenticated it.
package gate

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// The reasons for turning a connection away.
var (
	ErrUnknownUser    = errors.New("user is not on the list")
	ErrTooManyDevices = errors.New("too many devices at once")
	ErrClosed         = errors.New("node is shutting down")
)

// Gate is safe for use from many goroutines.
type Gate struct {
	mu       sync.Mutex
	users    map[string]*user
	isClosed bool
	open     sync.WaitGroup // one per connection

	refusedUnknown atomic.Uint64
	refusedDevices atomic.Uint64
}

type user struct {
	deviceLimit int
	connections map[net.Conn]netip.Prefix
	devices     map[netip.Prefix]int // open connections by address
}

// Usage is what a user holds at the moment.
type Usage struct {
	DeviceLimit int
	Devices     int
	Connections int
}

// Refusals counts the connections that were turned away since the start.
type Refusals struct {
	UnknownUser    uint64
	TooManyDevices uint64
}

// New makes a gate that lets nobody in.
func New() *Gate { return &Gate{users: make(map[string]*user)} }

// Allow puts a user on the list or changes the limit of one who is there. A limit of 0 means none. Devices that are
// connected already stay when the limit falls below their number; it holds for the next ones.
func (g *Gate) Allow(id string, deviceLimit int) (isNew bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, ok := g.users[id]; ok {
		known.deviceLimit = deviceLimit
		return false
	}
	g.users[id] = &user{
		deviceLimit: deviceLimit,
		connections: make(map[net.Conn]netip.Prefix),
		devices:     make(map[netip.Prefix]int),
	}
	return true
}

// Forbid takes a user off the list and closes what the user has open.
func (g *Gate) Forbid(id string) (wasThere bool) {
	g.mu.Lock()
	gone, wasThere := g.users[id]
	delete(g.users, id)
	var connections []net.Conn
	if wasThere {
		connections = gone.open()
	}
	g.mu.Unlock()
	closeAll(connections)
	return wasThere
}

// Holds says whether the user is on the list.
func (g *Gate) Holds(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.users[id] != nil
}

// Users lists everybody on the list.
func (g *Gate) Users() map[string]Usage {
	g.mu.Lock()
	defer g.mu.Unlock()
	usage := make(map[string]Usage, len(g.users))
	for id, u := range g.users {
		usage[id] = Usage{DeviceLimit: u.deviceLimit, Devices: len(u.devices), Connections: len(u.connections)}
	}
	return usage
}

// Len is the number of users on the list.
func (g *Gate) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.users)
}

// Refusals counts the connections turned away.
func (g *Gate) Refusals() Refusals {
	return Refusals{UnknownUser: g.refusedUnknown.Load(), TooManyDevices: g.refusedDevices.Load()}
}

// Close lets nobody in any more, closes every connection and waits until the last has ended.
func (g *Gate) Close(ctx context.Context) error {
	g.mu.Lock()
	g.isClosed = true
	var connections []net.Conn
	for _, u := range g.users {
		connections = append(connections, u.open()...)
	}
	g.mu.Unlock()
	closeAll(connections)

	done := make(chan struct{})
	go func() {
		g.open.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// enter lets the user's connection in until ctx, which ends with the connection, is done. The same connection may enter
// several times: a multiplexed one does for each of its streams.
func (g *Gate) enter(ctx context.Context, id string, conn net.Conn) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isClosed {
		return ErrClosed
	}
	u, ok := g.users[id]
	if !ok {
		g.refusedUnknown.Add(1)
		return ErrUnknownUser
	}
	if _, isInside := u.connections[conn]; isInside {
		return nil
	}
	device := deviceOf(conn.RemoteAddr())
	if u.deviceLimit > 0 && u.devices[device] == 0 && len(u.devices) >= u.deviceLimit {
		g.refusedDevices.Add(1)
		return ErrTooManyDevices
	}
	u.connections[conn] = device
	u.devices[device]++
	g.open.Add(1)
	context.AfterFunc(ctx, func() { g.leave(u, conn) })
	return nil
}

func (g *Gate) leave(u *user, conn net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	device := u.connections[conn]
	delete(u.connections, conn)
	if u.devices[device]--; u.devices[device] <= 0 {
		delete(u.devices, device)
	}
	g.open.Done()
}

func (u *user) open() []net.Conn {
	connections := make([]net.Conn, 0, len(u.connections))
	for conn := range u.connections {
		connections = append(connections, conn)
	}
	return connections
}

// deviceOf tells devices apart by address. A /64 of IPv6 counts as one: a device changes its address inside it by itself.
func deviceOf(addr net.Addr) netip.Prefix {
	if addr == nil {
		return netip.Prefix{}
	}
	addrPort, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Prefix{}
	}
	ip := addrPort.Addr().Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(ip, bits).Masked()
}

// closeAll closes the sockets under the connections. Closing a TLS connection instead would first write a farewell and
// wait for a peer that may not read.
func closeAll(connections []net.Conn) {
	for _, conn := range connections {
		if outer, ok := conn.(interface{ NetConn() net.Conn }); ok {
			conn = outer.NetConn()
		}
		_ = conn.Close()
	}
}
