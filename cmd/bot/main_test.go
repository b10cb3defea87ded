package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/tests/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const token = "700100:" + "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

// TestTheBinary starts the real one, talks with it, looks at its health, and tells it to stop.
func TestTheBinary(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	h := harness.New(t)
	api, err := botapi.New(botapi.Options{Bots: []botapi.Bot{{Token: token}}})
	require.NoError(t, err)
	server := httptest.NewServer(api)
	t.Cleanup(func() { _ = api.Close(); server.CloseClientConnections(); server.Close() })

	binary := filepath.Join(t.TempDir(), "bot")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	command := exec.CommandContext(ctx, binary)
	command.Env = append(os.Environ(), "APP_ENV=local", "LOCAL_BOT_TOKEN="+token, "LOCAL_BOT_API_URL="+server.URL,
		"LOCAL_DATABASE_URL="+h.DSN(harness.BotLogin), "LOCAL_REDIS_URL=redis://"+miniredis.RunT(t).Addr(), "LOCAL_HTTP_ADDR=127.0.0.1:0")
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	var stderr strings.Builder
	command.Stderr = &stderr
	require.NoError(t, command.Start())

	lines := bufio.NewScanner(stdout)
	var address string
	for address == "" && lines.Scan() {
		var line struct{ Msg, Address string }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line), "%s", lines.Bytes())
		if line.Msg == "listening" {
			address = line.Address
		}
	}
	require.NotEmpty(t, address, "%s", &stderr)
	rest := make(chan string, 1)
	go func() {
		var text strings.Builder
		for lines.Scan() {
			text.WriteString(lines.Text() + "\n")
		}
		rest <- text.String()
	}()

	bob, err := person.NewClient(server.URL, "").Ensure(ctx, botapi.Person{FirstName: "Bob", LanguageCode: "en"})
	require.NoError(t, err)
	_, err = bob.Send(ctx, "/start")
	require.NoError(t, err)
	_, err = bob.WaitText(ctx, "Choose your language")
	require.NoError(t, err)
	require.JSONEq(t, `{"database":"ok","redis":"ok","status":"ok"}`, get(t, "http://"+address+"/readyz"))
	require.Contains(t, get(t, "http://"+address+"/metrics"), `atlas_bot_updates_received_total{novelty="new"} 1`)

	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	log := <-rest
	require.NoError(t, command.Wait(), "%s%s", log, &stderr)
	require.Contains(t, log, "stopped working the inbox")
	require.NotContains(t, log+stderr.String(), strings.Split(token, ":")[1])
}

func get(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}
