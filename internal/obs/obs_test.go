package obs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

func logged(t *testing.T, write func(ctx context.Context, logger *slog.Logger)) map[string]any {
	t.Helper()
	var out bytes.Buffer
	logger := NewLogger(&out, slog.LevelDebug, "bot")
	write(WithTelegramID(WithCorrelationID(t.Context(), "u42"), 7), logger)
	require.Equal(t, 1, bytes.Count(out.Bytes(), []byte("\n")), "one line: %s", out.String())
	line := map[string]any{}
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	line["raw"] = out.String()
	return line
}

func TestFixedFields(t *testing.T) {
	t.Parallel()

	line := logged(t, func(ctx context.Context, logger *slog.Logger) {
		logger.InfoContext(ctx, "done", Operation("pay"), Outcome(OutcomeOK), Took(time.Now()))
	})
	require.Equal(t, "bot", line["component"])
	require.Equal(t, "pay", line["operation"])
	require.Equal(t, "ok", line["outcome"])
	require.Equal(t, "u42", line["correlation_id"])
	require.EqualValues(t, 7, line["telegram_id"])
	require.Contains(t, line, "duration")
}

func TestOnesOwnTelegramIDIsNotRepeated(t *testing.T) {
	t.Parallel()

	line := logged(t, func(ctx context.Context, logger *slog.Logger) {
		Money(ctx, logger, BalanceIncreased, slog.Int64(FieldTelegramID, 8))
	})
	require.Equal(t, "BALANCE_INCREASED", line["msg"])
	require.EqualValues(t, 8, line["telegram_id"])
	require.Equal(t, 1, bytes.Count([]byte(line["raw"].(string)), []byte(`"telegram_id"`)))
}

type secretive struct{ Link string }

func TestSecretsDoNotReachTheLog(t *testing.T) {
	t.Parallel()

	const token = "123456789:canarycanarycanarycanarycanary12345"
	inURL := &url.Error{Op: "Post", URL: "https://api.telegram.org/bot" + token + "/getMe", Err: io.EOF}
	line := logged(t, func(ctx context.Context, logger *slog.Logger) {
		logger.With("dsn", "host=db password=canary").WithGroup("call").ErrorContext(ctx, "failed with "+token,
			"error", errors.Join(inURL, errors.New("postgres://bot:canary@db/atlas")),
			"text", "key vless://canary@host:443?x=canary#canary and password=canary",
			"value", secretive{Link: "vless://canary"},
			"bytes", []byte("redis://:canary@host"),
			"key_uri", "canary", "vpn_uuid", []string{"canary"},
			"path", "/remove-user/a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
		)
	})
	require.NotContains(t, line["raw"], "canary")
	require.NotContains(t, line["raw"], "9c0b-4ef8")
	require.Contains(t, line["raw"], "postgres://bot:[redacted]@db/atlas")
}

func TestX3HostileTextStaysOnOneLine(t *testing.T) {
	t.Parallel()

	line := logged(t, func(ctx context.Context, logger *slog.Logger) {
		logger.InfoContext(ctx, "hello", "name", "x\n{\"msg\":\"forged\"}\x1b[31m\"},")
	})
	require.Equal(t, "hello", line["msg"])
	require.Equal(t, "x\n{\"msg\":\"forged\"}\x1b[31m\"},", line["name"])
}

func TestCorrelationIDsDiffer(t *testing.T) {
	t.Parallel()

	first, second := NewCorrelationID("job"), NewCorrelationID("job")
	require.NotEqual(t, first, second)
	require.Empty(t, CorrelationID(t.Context()))
}

func get(t *testing.T, handler http.Handler, path string) (int, string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return recorder.Code, recorder.Body.String()
}

func TestHealthAndReadiness(t *testing.T) {
	t.Parallel()

	var database, node error
	mux := http.NewServeMux()
	Register(mux, NewRegistry(),
		Check{Name: "database", IsCritical: true, Probe: func(context.Context) error { return database }},
		Check{Name: "vpn", Probe: func(context.Context) error { return node }})

	code, body := get(t, mux, "/readyz")
	require.Equal(t, http.StatusOK, code)
	require.JSONEq(t, `{"status":"ok","database":"ok","vpn":"ok"}`, body)

	node = errors.New("refused")
	code, body = get(t, mux, "/readyz")
	require.Equal(t, http.StatusOK, code)
	require.JSONEq(t, `{"status":"degraded","database":"ok","vpn":"refused"}`, body)

	database = errors.New("postgres://bot:canary@db is down")
	code, body = get(t, mux, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Contains(t, body, `"status":"unavailable"`)
	require.NotContains(t, body, "canary")

	code, _ = get(t, mux, "/healthz")
	require.Equal(t, http.StatusOK, code, "alive even when the database is not")
	code, body = get(t, mux, "/metrics")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, "go_goroutines")
}

func TestServeFinishesWhatIsInHand(t *testing.T) {
	t.Parallel()

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	entered, leave := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		_, _ = io.WriteString(w, "finished")
	})
	addresses := make(chan string, 1)
	logger := slog.New(addressHandler{slog.DiscardHandler, addresses})
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, logger, "127.0.0.1:0", handler, time.Minute) }()

	answers := make(chan string, 1)
	address := <-addresses
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	go func() {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address, nil)
		response, err := client.Do(request)
		if err != nil {
			answers <- err.Error()
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		answers <- string(body)
	}()
	<-entered
	stop()
	require.Eventually(t, func() bool {
		connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = connection.Close()
		}
		return err != nil
	}, time.Minute, time.Millisecond, "takes nothing new")
	close(leave)
	require.Equal(t, "finished", <-answers)
	require.NoError(t, <-served)
}

type addressHandler struct {
	slog.Handler
	addresses chan string
}

func (h addressHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h addressHandler) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(attr slog.Attr) bool {
		if attr.Key == "address" {
			h.addresses <- attr.Value.String()
		}
		return true
	})
	return nil
}
