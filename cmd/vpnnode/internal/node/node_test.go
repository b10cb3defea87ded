package node_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/vpnnode/internal/node"
)

const (
	alice = "66ad4540-b58c-4ad2-9926-ea63445a9b57"
	bob   = "0c9ac5ba-b4d2-4c1d-9b74-37d6c6a3f9d1"
)

// A change that waited until its caller gave up may be the opposite of what the caller has asked for since.
func TestWhoHasGivenUpChangesNothing(t *testing.T) {
	t.Parallel()
	n, err := node.Start(t.Context(), node.Config{
		ListenHost: "127.0.0.1", PublicHost: "127.0.0.1", ServerName: "www.example.com", StateDir: t.TempDir(),
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, n.Close(context.Background())) }()
	_, err = n.Add(t.Context(), node.User{ID: alice})
	require.NoError(t, err)
	revision := n.Revision()

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = n.Add(gone, node.User{ID: bob})
	require.ErrorIs(t, err, context.Canceled)
	_, err = n.Remove(gone, alice)
	require.ErrorIs(t, err, context.Canceled)
	_, err = n.Set(gone, []node.User{{ID: bob}}, "")
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, revision, n.Revision())
	require.Equal(t, 1, n.Len())
	require.Equal(t, alice, n.Users()[0].ID)
}
