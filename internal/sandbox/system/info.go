package system

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Info is what sandbox.json says: how to reach every part. It holds secrets of the sandbox, and stays when the system
// stops, so that the next run has the same addresses.
type Info struct {
	PID       int       `json:"pid"` // of the sandbox; 0 when it has stopped
	StartedAt time.Time `json:"started_at"`
	HTTP      Addresses `json:"http"`
	Node      Node      `json:"node"`
	Redis     string    `json:"redis"`
	// Databases are connection strings by role: owner, bot, worker, auditor, dba.
	Databases      map[string]string `json:"databases"`
	BotToken       string            `json:"bot_token"`
	CryptoPayToken string            `json:"cryptopay_token"`
	// Processes are the ids of the child processes by name: bot, bot-2, worker, vpnnode …
	Processes map[string]int `json:"processes"`
	// BotEnv is the environment of a bot process, but for its HTTP address: a script can start one more with it.
	BotEnv []string `json:"bot_env"`
}

// Addresses are the URLs of the HTTP servers.
type Addresses struct {
	Chat      string `json:"chat"` // the chat page, the persons' API under /api/, the Bot API
	CryptoPay string `json:"cryptopay"`
	Bot       string `json:"bot"`    // of the first bot: /metrics, /healthz, /readyz
	Worker    string `json:"worker"` // of the first worker: the same
}

// Node is the VPN node's API.
type Node struct {
	URL    string `json:"url"`
	APIKey string `json:"api_key"`
}

const infoFile = "sandbox.json"

// ReadInfo reads the sandbox.json of a state folder.
func ReadInfo(stateDir string) (*Info, error) {
	raw, err := os.ReadFile(filepath.Join(stateDir, infoFile)) //nolint:gosec // the path is the operator's
	if err != nil {
		return nil, fmt.Errorf("no sandbox has run here: %w", err)
	}
	info := &Info{}
	if err := json.Unmarshal(raw, info); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(stateDir, infoFile), err)
	}
	return info, nil
}

// earlierInfo is what the last run left, or nothing.
func earlierInfo(stateDir string) (*Info, error) {
	info, err := ReadInfo(stateDir)
	if errors.Is(err, fs.ErrNotExist) {
		return &Info{}, nil
	}
	return info, err
}

// write replaces the file at once, so that a reader never sees half of it.
func (i *Info) write(stateDir string) error {
	raw, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", infoFile, err)
	}
	path := filepath.Join(stateDir, infoFile)
	if err := os.WriteFile(path+".new", append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("%s: %w", infoFile, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("%s: %w", infoFile, err)
	}
	return nil
}
