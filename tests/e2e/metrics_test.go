package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"
)

// secondBot starts another bot on the same database for the length of the test, and gives its address
// and its process.
func (b *bundle) secondBot() (address string, pid int) {
	b.Helper()
	bot, address, err := b.sandbox.startBot(b.ctx)
	require.NoError(b, err)
	b.Cleanup(func() {
		require.NoError(b, bot.Stop(context.Background(), stopTime))
		require.NoError(b, bot.Err(), "a bot that is told to stop ends in order")
	})
	b.eventually("the second bot is ready", func() error {
		_, err := get(b.ctx, address+"/readyz")
		return err
	})
	return address, bot.PID()
}

// listeningAt finds in a process's log where it answers HTTP.
func listeningAt(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(raw)) {
		var entry struct {
			Message string `json:"msg"`
			Address string `json:"address"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Message == "listening" {
			return "http://" + entry.Address
		}
	}
	return ""
}

// handled is how many updates of a kind a bot has worked off since it started.
func (b *bundle) handled(bot, operation string) float64 {
	b.Helper()
	text, err := get(b.ctx, bot+"/metrics")
	require.NoError(b, err)
	total := 0.0
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if strings.HasPrefix(name, "atlas_bot_update_seconds_count{") && strings.Contains(name, `operation="`+operation+`"`) {
			count, err := strconv.ParseFloat(value, 64)
			require.NoError(b, err, line)
			total += count
		}
	}
	return total
}

func get(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return "", fmt.Errorf("asking: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("asking: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", address, response.Status, body)
	}
	return string(body), err
}
