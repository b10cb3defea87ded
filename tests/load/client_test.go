package load

import (
	"context"
	"io"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

func TestWhatAnErrorMeans(t *testing.T) {
	t.Parallel()
	server := func(severity, code string) error { return &pgconn.PgError{Severity: severity, Code: code} }
	for name, c := range map[string]struct {
		err  error
		want outcome
	}{
		"an answer":             {nil, outcome{isDefinite: true}},
		"a refusal":             {server("ERROR", "WA001"), outcome{isDefinite: true, code: "WA001"}},
		"a bug":                 {server("ERROR", "23505"), outcome{isDefinite: true, code: "23505"}},
		"a deadlock":            {server("ERROR", "40P01"), outcome{code: "40P01"}},
		"a lock that is not":    {server("ERROR", "55P03"), outcome{code: "55P03"}},
		"a session that dies":   {server("FATAL", "57P01"), outcome{code: "57P01", isUnknown: true}},
		"a server that crashed": {server("PANIC", "57P02"), outcome{code: "57P02", isUnknown: true}},
		"a connection cut":      {io.ErrUnexpectedEOF, outcome{code: "lost", isUnknown: true}},
		"a deadline":            {context.DeadlineExceeded, outcome{code: "lost", isUnknown: true}},
		"what the caller names": {server("ERROR", "XX000"), outcome{code: "XX000"}},
	} {
		require.Equal(t, c.want, judge(c.err, []string{"XX000"}), name)
	}
	_, err := pgx.Connect(t.Context(), "postgres://nobody@127.0.0.1:1/nowhere")
	require.Equal(t, outcome{code: "lost"}, judge(err, nil), "nothing was sent")
}
