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
	own, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), own.Mode().Perm())
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
		`{"private_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","short_ids":["000102030405060708"]}`,
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

// Only that there is no file yet is a reason to make keys: one that cannot be read today may be readable tomorrow.
func TestAnUnreadableFileIsNotReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "reality.json")
	require.NoError(t, os.Symlink(path, path)) // reading fails, even for root
	_, err := state.Open(dir)
	require.Error(t, err)
	kept, err := os.Readlink(path)
	require.NoError(t, err)
	require.Equal(t, path, kept)
}

// The file is replaced and never written over: what a second name of the old file shows is whole, and readable by nobody
// who could not read it before.
func TestSavingReplacesTheFileInOneStep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	made, err := state.Open(dir)
	require.NoError(t, err)
	path, old := filepath.Join(dir, "reality.json"), filepath.Join(t.TempDir(), "old")
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.Link(path, old))
	require.NoError(t, os.Chmod(path, 0o644)) // what a careless restore leaves

	made.Port = 4443
	require.NoError(t, made.Save(dir))
	kept, err := os.ReadFile(old)
	require.NoError(t, err)
	require.Equal(t, string(before), string(kept))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestAFailedSaveIsToldAndLeavesNoKeyBehind(t *testing.T) {
	t.Parallel()
	made, err := state.Open(t.TempDir())
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "reality.json"), 0o700)) // nothing can take its place
	require.Error(t, made.Save(dir))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}
