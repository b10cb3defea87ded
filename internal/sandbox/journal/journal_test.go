package journal_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/journal"
)

func put(t *testing.T, key string, value any) journal.Record {
	t.Helper()
	record, err := journal.Put(key, value)
	require.NoError(t, err)
	return record
}

func TestRecordsAreThereAfterReopening(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "folder", "state.jsonl")
	first, records, err := journal.Open(path)
	require.NoError(t, err)
	require.Empty(t, records)
	require.NoError(t, first.Append(put(t, "a", 1), put(t, "b", "two")))
	require.NoError(t, first.Append(put(t, "a", 3), journal.Delete("b"), put(t, "c", "line\nbreak")))
	// Not closed: this is what a killed process leaves.
	_, records, err = journal.Open(path)
	require.NoError(t, err)
	require.Equal(t, map[string]json.RawMessage{"a": []byte("3"), "c": []byte(`"line\nbreak"`)}, records)
}

func TestTornLastLineIsCutOff(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(`{"k":"a","v":1}`+"\n"+`{"k":"b","v`), 0o600))
	opened, records, err := journal.Open(path)
	require.NoError(t, err)
	require.Len(t, records, 1)
	require.NoError(t, opened.Append(put(t, "c", 2)))
	require.NoError(t, opened.Close())
	_, records, err = journal.Open(path)
	require.NoError(t, err)
	require.Len(t, records, 2)
}

func TestDamageInTheMiddleIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.jsonl")
	require.NoError(t, os.WriteFile(path, []byte("{\"k\":\"a\"\n{\"k\":\"b\",\"v\":1}\n"), 0o600))
	_, _, err := journal.Open(path)
	require.ErrorContains(t, err, "damaged at byte 0")
}

func TestGrownFileIsCompactedAndKeepsTakingRecords(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.jsonl")
	opened, _, err := journal.Open(path)
	require.NoError(t, err)
	const writes = 25_000
	for i := range writes {
		require.NoError(t, opened.Append(put(t, fmt.Sprintf("key%d", i%10), i)))
	}
	require.NoError(t, opened.Close())
	require.ErrorIs(t, opened.Append(put(t, "late", 1)), journal.ErrClosed)

	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(200_000))
	_, records, err := journal.Open(path)
	require.NoError(t, err)
	require.Len(t, records, 10)
	require.Equal(t, "24999", string(records["key9"]))
}
