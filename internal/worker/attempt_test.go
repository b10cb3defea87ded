package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// refusedError is what Telegram says of a message that it did not take.
type refusedError struct{ isUnreachable bool }

func (refusedError) Error() string         { return "refused" }
func (e refusedError) IsUnreachable() bool { return e.isUnreachable }

// TestHowAMessageEndedIsWrittenDown, and said as loud as somebody has to look into it.
func TestHowAMessageEndedIsWrittenDown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sending error
		level   string
		written string
	}{
		{nil, "INFO", "sent"},
		{fmt.Errorf("sending: %w", notBegunError{}), "WARN", "released after 0s: sending: the worker is stopping"},
		{refusedError{}, "WARN", "failed: refused"},
		{refusedError{isUnreachable: true}, "INFO", "failed, unreachable: refused"},
		{errors.New("connection reset"), "ERROR", ""},
	} {
		var log bytes.Buffer
		written := ""
		isReleased, err := attempt{
			sent: func(context.Context) (bool, error) { written = "sent"; return true, nil },
			failed: func(_ context.Context, reason string, isUnreachable bool) (bool, error) {
				written = map[bool]string{true: "failed, unreachable: ", false: "failed: "}[isUnreachable] + reason
				return true, nil
			},
			released: func(_ context.Context, reason string, wait time.Duration) (bool, error) {
				written = fmt.Sprintf("released after %s: %s", wait, reason)
				return true, nil
			},
		}.conclude(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), c.sending)
		require.NoError(t, err)
		require.Equal(t, c.written, written)
		require.Equal(t, errors.As(c.sending, new(Postponed)), isReleased)
		require.Contains(t, log.String(), "level="+c.level+" ")
		require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("\n")))
	}
}

// TestALostLeaseIsSaid: the message was sent, and another worker has it now.
func TestALostLeaseIsSaid(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	_, err := attempt{sent: func(context.Context) (bool, error) { return false, nil }}.conclude(t.Context(),
		slog.New(slog.NewTextHandler(&log, nil)), nil)
	require.NoError(t, err)
	require.Contains(t, log.String(), `level=WARN msg="the lease of a message ran out while it was being sent"`)
}
