package obs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/obs"
)

func TestAnOutageIsToldWhenItBeginsTurnsAndEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		o := obs.NewOutage(obs.NewLogger(&text, slog.LevelInfo, "test"), "poll")
		o.Over(t.Context())
		for range 3 {
			for range 4 {
				o.Failed(t.Context(), "no database", errors.New("refused"))
				time.Sleep(time.Second)
			}
			o.Failed(t.Context(), "no migrations", errors.New("too old"))
			o.Failed(t.Context(), "no migrations", errors.New("too old"))
			o.Over(t.Context())
			o.Over(t.Context())
		}
		type line struct {
			Level, Msg, Operation, Error string
			Failures                     int
			Duration                     time.Duration
		}
		var got []line
		for lines := json.NewDecoder(&text); lines.More(); {
			var l line
			require.NoError(t, lines.Decode(&l))
			got = append(got, l)
		}
		once := []line{
			{Level: "WARN", Msg: "no database", Operation: "poll", Error: "refused", Failures: 1},
			{Level: "WARN", Msg: "no migrations", Operation: "poll", Error: "too old", Failures: 5},
			{Level: "INFO", Msg: "works again", Operation: "poll", Failures: 6, Duration: 4 * time.Second},
		}
		require.Equal(t, append(append(once, once...), once...), got)
	})
}
