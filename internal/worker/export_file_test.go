package worker

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sqlapi"
)

func TestASheetIsProperCSVAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	w := newRowWriter([]string{"id", "name"}, []string{"id"})
	header, err := newRowWriter([]string{"id", "name"}, nil).row([]string{"id", "name"})
	require.NoError(t, err)
	s, err := newSheet(header)
	require.NoError(t, err)
	_, err = os.Stat(s.file.Name())
	require.ErrorIs(t, err, os.ErrNotExist, "a process that is killed leaves nothing of it")
	for _, cells := range [][]string{{"-5", "-5"}, {"7", `a "b", c`}, {"", "one\ntwo\rthree\r\nfour"}, {"8", ""}} {
		row, err := w.row(cells)
		require.NoError(t, err)
		require.NoError(t, s.add(row))
	}
	require.NoError(t, s.finish())
	text, err := io.ReadAll(io.NewSectionReader(s.file, 0, 1<<20))
	require.NoError(t, err)
	require.Equal(t, "\ufeffid,name\r\n-5,'-5\r\n7,\"a \"\"b\"\", c\"\r\n,\"one\ntwo\rthree\r\nfour\"\r\n8,\r\n", string(text))
	require.EqualValues(t, len(text), s.size)
	require.EqualValues(t, 4, s.rows)
	s.close()
	_, err = w.row([]string{"1"})
	require.Error(t, err, "a cell is missing")
}

func TestPartNames(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 28, 23, 30, 0, 0, time.UTC).In(time.FixedZone("", 3600))
	require.Equal(t, "atlas-users-2026-11-28-part-1.csv", partName(sqlapi.ClaimedExport{Kind: sqlapi.ExportUsers, RequestedAt: at}, 1))
	require.Equal(t, "atlas-promo-batch-7-2026-11-28-part-12.csv", partName(sqlapi.ClaimedExport{Kind: sqlapi.ExportBatch, BatchID: 7, RequestedAt: at}, 12))
}
