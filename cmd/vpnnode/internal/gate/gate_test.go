package gate

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xtls/xray-core/common/protocol"
	"github.com/xtls/xray-core/common/session"
)

// connection is a net.Conn of which only the address and Close matter.
type connection struct {
	net.Conn
	from   string
	closed chan struct{}
}

func from(address string) *connection { return &connection{from: address, closed: make(chan struct{})} }

func (c *connection) RemoteAddr() net.Addr {
	addr, err := net.ResolveTCPAddr("tcp", c.from)
	if err != nil {
		panic(err)
	}
	return addr
}

func (c *connection) Close() error {
	close(c.closed)
	return nil
}

func isClosed(c *connection) bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

func TestDevicesAreToldApartByAddress(t *testing.T) {
	t.Parallel()
	g := New()
	g.Allow("u", 1)
	ctx := t.Context()
	require.NoError(t, g.enter(ctx, "u", from("198.51.100.7:1")))
	require.NoError(t, g.enter(ctx, "u", from("198.51.100.7:2")))
	require.NoError(t, g.enter(ctx, "u", from("[::ffff:198.51.100.7]:3")))
	require.ErrorIs(t, g.enter(ctx, "u", from("198.51.100.8:1")), ErrTooManyDevices)
	require.EqualValues(t, 1, g.Refusals().TooManyDevices)

	g.Allow("six", 1)
	require.NoError(t, g.enter(ctx, "six", from("[2001:db8:1:2::1]:1")))
	require.NoError(t, g.enter(ctx, "six", from("[2001:db8:1:2:3:4:5:6]:1")), "one device changes its address in a /64")
	require.ErrorIs(t, g.enter(ctx, "six", from("[2001:db8:1:3::1]:1")), ErrTooManyDevices)
}

func TestAPlaceIsFreeWhenTheLastConnectionEnds(t *testing.T) {
	t.Parallel()
	g := New()
	g.Allow("u", 1)
	first, endFirst := context.WithCancel(t.Context())
	second, endSecond := context.WithCancel(t.Context())
	multiplexed := from("198.51.100.7:1")
	require.NoError(t, g.enter(first, "u", multiplexed))
	require.NoError(t, g.enter(first, "u", multiplexed), "each stream of it passes again")
	require.NoError(t, g.enter(second, "u", from("198.51.100.7:2")))
	require.Equal(t, Usage{DeviceLimit: 1, Devices: 1, Connections: 2}, g.Users()["u"])

	endFirst()
	require.Eventually(t, func() bool { return g.Users()["u"].Connections == 1 }, time.Minute, time.Millisecond)
	require.ErrorIs(t, g.enter(t.Context(), "u", from("198.51.100.8:1")), ErrTooManyDevices)
	endSecond()
	require.Eventually(t, func() bool { return g.Users()["u"].Devices == 0 }, time.Minute, time.Millisecond)
	require.NoError(t, g.enter(t.Context(), "u", from("198.51.100.8:1")))
}

func TestForbidClosesTheUsersConnectionsOnly(t *testing.T) {
	t.Parallel()
	g := New()
	require.True(t, g.Allow("u", 0))
	require.False(t, g.Allow("u", 0))
	g.Allow("other", 0)
	ctx, end := context.WithCancel(t.Context())
	mine, others := from("198.51.100.7:1"), from("198.51.100.7:2")
	require.NoError(t, g.enter(ctx, "u", mine))
	require.NoError(t, g.enter(t.Context(), "other", others))

	require.True(t, g.Forbid("u"))
	require.False(t, g.Forbid("u"))
	require.True(t, isClosed(mine))
	require.False(t, isClosed(others))
	require.ErrorIs(t, g.enter(ctx, "u", from("198.51.100.7:3")), ErrUnknownUser)
	require.EqualValues(t, 1, g.Refusals().UnknownUser)

	// Back on the list before the old connection has ended: its end does not count against the new ones.
	g.Allow("u", 1)
	require.NoError(t, g.enter(t.Context(), "u", from("198.51.100.9:1")))
	end()
	require.Never(t, func() bool { return g.Users()["u"].Devices != 1 }, 20*time.Millisecond, time.Millisecond)
}

func TestCloseWaitsForTheConnections(t *testing.T) {
	t.Parallel()
	g := New()
	g.Allow("u", 0)
	ctx, end := context.WithCancel(t.Context())
	conn := from("198.51.100.7:1")
	require.NoError(t, g.enter(ctx, "u", conn))

	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, g.Close(short), context.DeadlineExceeded)
	require.True(t, isClosed(conn))
	require.ErrorIs(t, g.enter(ctx, "u", from("198.51.100.7:2")), ErrClosed)
	end()
	g2 := New()
	require.NoError(t, g2.Close(t.Context()))
}

// wrapped is a TLS connection: closing it would wait for a peer that does not read.
type wrapped struct {
	*connection
	socket *connection
}

func (w *wrapped) NetConn() net.Conn { return w.socket }

func TestTheSocketUnderTLSIsClosed(t *testing.T) {
	t.Parallel()
	g := New()
	g.Allow("u", 0)
	conn := &wrapped{connection: from("198.51.100.7:1"), socket: from("198.51.100.7:1")}
	require.NoError(t, g.enter(t.Context(), "u", conn))
	g.Forbid("u")
	require.True(t, isClosed(conn.socket))
	require.False(t, isClosed(conn.connection))
}

// A connection that may not pass is closed: a multiplexed one would try again with its next stream.
func TestWhoMayNotPassIsCutOff(t *testing.T) {
	t.Parallel()
	d := &Dispatcher{gate: New()}
	d.gate.Allow("u", 1)
	come := func(user, address string) (*connection, error) {
		conn := from(address)
		inbound := &session.Inbound{Conn: conn, User: &protocol.MemoryUser{Email: user}}
		return conn, d.admit(session.ContextWithInbound(t.Context(), inbound))
	}
	welcome, err := come("u", "198.51.100.7:1")
	require.NoError(t, err)
	surplus, err := come("u", "198.51.100.8:1")
	require.ErrorIs(t, err, ErrTooManyDevices)
	stranger, err := come("other", "198.51.100.7:2")
	require.ErrorIs(t, err, ErrUnknownUser)
	require.False(t, isClosed(welcome))
	require.True(t, isClosed(surplus))
	require.True(t, isClosed(stranger))
	require.ErrorIs(t, d.admit(t.Context()), ErrUnknownUser, "nobody in particular")
}
