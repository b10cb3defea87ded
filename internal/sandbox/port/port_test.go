package port_test

import (
	"net"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/port"
)

func TestAServerListensAtAReservedPortAndComesBack(t *testing.T) {
	t.Parallel()
	kept, err := port.Reserve(0)
	require.NoError(t, err)
	for range 2 {
		server, err := net.Listen("tcp", kept.Address())
		require.NoError(t, err)
		client, err := net.Dial("tcp", kept.Address())
		require.NoError(t, err)
		require.NoError(t, client.Close())
		require.NoError(t, server.Close())
	}
	require.NoError(t, kept.Close())
	require.NoError(t, kept.Close(), "giving it back again is no error")
}

func TestAReservedPortIsGivenToNobodyElse(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere a port cannot be kept")
	}
	kept, err := port.Reserve(0)
	require.NoError(t, err)
	defer func() { require.NoError(t, kept.Close()) }()
	_, err = net.Dial("tcp", kept.Address())
	require.Error(t, err, "nobody listens yet")

	server, err := net.Listen("tcp", kept.Address())
	require.NoError(t, err)
	_, err = port.Reserve(kept.Number)
	require.Error(t, err, "somebody listens")
	require.NoError(t, server.Close())
	// The system runs through the ports that it gives away; no more are taken here than fit under the usual limit of files.
	for range 400 {
		other, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { _ = other.Close() }()
		require.NotEqual(t, kept.Number, other.Addr().(*net.TCPAddr).Port)
	}
}
