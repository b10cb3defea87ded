package state_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/vpnnode/internal/state"
)

func TestKeysAreMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "dir")
	made, err := state.Open(dir)
	require.NoError(t, err)
	made.Port = 4443
	require.NoError(t, made.Save(dir))

	read, err := state.Open(dir)
	require.NoError(t, err)
	require.Equal(t, made.PrivateKey(), read.PrivateKey())
	require.Equal(t, made.PublicKey(), read.PublicKey())
	require.Equal(t, made.ShortIDs, read.ShortIDs)
	require.EqualValues(t, 4443, read.Port)

	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "something was left behind")
	info, err := entries[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.Equal(t, "[redacted]", fmt.Sprintf("%+v", read))

	other, err := state.Open(t.TempDir())
	require.NoError(t, err)
	require.NotEqual(t, made.PrivateKey(), other.PrivateKey())
}

func TestADamagedFileIsNotReplaced(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "{", `{"private_key":"AAAA","short_ids":["00"]}`, `{"private_key":"!","short_ids":["00"]}`,
		`{"private_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","short_ids":[]}`,
		`{"private_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","short_ids":["zz"]}`,
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "reality.json")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := state.Open(dir)
		require.Error(t, err, text)
		kept, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(kept))
	}
}
