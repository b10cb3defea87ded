package system

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// RunningError means that another run has the state folder.
type RunningError struct {
	StateDir string
	Info     *Info
}

// Error says where the first one is.
func (e *RunningError) Error() string {
	if e.Info == nil || e.Info.HTTP.Chat == "" {
		return "it is starting already, with its state in " + e.StateDir
	}
	return fmt.Sprintf("it is running already: %s (process %d, state in %s)", e.Info.HTTP.Chat, e.Info.PID, e.StateDir)
}

// The folders of a state, which Fresh deletes; nothing else in there is touched.
const (
	databaseDir  = "postgres"
	chatsDir     = "chats"
	cryptoPayDir = "cryptopay"
	nodeDir      = "vpnnode"
	logsDir      = "logs"
)

// takeState makes the state folder this run's own until the returned file is closed.
func takeState(opts *Options) (*os.File, error) {
	// Others may pass through, for Postgres runs as another user; what is inside is closed to them.
	if err := os.MkdirAll(opts.StateDir, 0o711); err != nil { //nolint:gosec // see above
		return nil, fmt.Errorf("the state folder: %w", err)
	}
	lock, err := os.OpenFile(opts.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the state folder: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		info, _ := ReadInfo(opts.StateDir)
		return nil, errors.Join(&RunningError{StateDir: opts.StateDir, Info: info}, lock.Close())
	}
	if opts.Fresh {
		for _, name := range []string{databaseDir, migrationSums, chatsDir, cryptoPayDir, nodeDir, logsDir, infoFile} {
			if err := os.RemoveAll(opts.path(name)); err != nil {
				return nil, errors.Join(fmt.Errorf("starting over: %w", err), lock.Close())
			}
		}
	}
	for _, name := range []string{chatsDir, cryptoPayDir, nodeDir, logsDir} {
		if err := os.MkdirAll(opts.path(name), 0o700); err != nil {
			return nil, errors.Join(fmt.Errorf("the state folder: %w", err), lock.Close())
		}
	}
	return lock, nil
}

// takeSecrets makes the tokens that no earlier run has made. They open nothing but this sandbox.
func (i *Info) takeSecrets() {
	if i.BotToken == "" {
		i.BotToken = "7000000001:" + (rand.Text() + rand.Text())[:35]
	}
	if i.CryptoPayToken == "" {
		i.CryptoPayToken = "1001:AA" + rand.Text()
	}
	if i.Node.APIKey == "" {
		i.Node.APIKey = strings.ToLower(rand.Text())
	}
}
