package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"atlas-secure/internal/sandbox/process"
	"atlas-secure/internal/sandbox/system"
)

// sandbox is a running `atlas-sandbox` with a state folder of its own.
type sandbox struct {
	*system.Info
	dir     string
	process *process.Process
	beside  atomic.Int64 // how many bots were started beside its own
}

// upLine begins what the sandbox prints when everything answers.
const upLine = "Up in "

// startSandbox starts everything with its state in a folder, and waits until it is up.
func startSandbox(dir string) (_ *sandbox, err error) {
	said := dir + ".log"
	out, err := process.LogFile(said)
	if err != nil {
		return nil, fmt.Errorf("the sandbox: %w", err)
	}
	s := &sandbox{dir: dir}
	s.process, err = process.Start(process.Spec{
		Path: binary("sandbox"), Env: append(os.Environ(), "LOCAL_STATE_DIR="+dir), Dir: "/", Output: out,
	})
	if err != nil {
		return nil, fmt.Errorf("the sandbox: %w", err)
	}
	limit := time.NewTimer(startTime)
	defer limit.Stop()
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for !saysLine(said, upLine) {
		select {
		case <-ticker.C:
		case <-s.process.Done():
			return nil, fmt.Errorf("the sandbox ended before it was up: %w\n%s", s.process.Err(), process.Tail(said, 20))
		case <-limit.C:
			return nil, errors.Join(fmt.Errorf("not up after %s\n%s", startTime, process.Tail(said, 20)), s.stop())
		}
	}
	if s.Info, err = system.ReadInfo(dir); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// saysLine looks for a line that begins so.
func saysLine(path, beginning string) bool {
	raw, err := os.ReadFile(path)
	return err == nil && strings.Contains("\n"+string(raw), "\n"+beginning)
}

// stop ends the sandbox in order, and says so when that was not possible.
func (s *sandbox) stop() error {
	if err := s.process.Stop(context.Background(), stopTime); err != nil {
		return fmt.Errorf("the sandbox does not stop: %w", err)
	}
	if err := s.process.Err(); err != nil {
		return fmt.Errorf("the sandbox ended badly: %w", err)
	}
	return nil
}

// log is the path of a process's log.
func (s *sandbox) log(name string) string { return filepath.Join(s.dir, "logs", name+".log") }

// pid is the number of a child process now; 0 while it is away.
func (s *sandbox) pid(name string) int {
	info, err := system.ReadInfo(s.dir)
	if err != nil {
		return 0
	}
	return info.Processes[name]
}

// postmaster is the number of Postgres's first process, by its own note; 0 while there is none.
func (s *sandbox) postmaster() int {
	raw, err := os.ReadFile(filepath.Join(s.dir, "postgres", "postmaster.pid"))
	if err != nil {
		return 0
	}
	var pid int
	if _, err := fmt.Sscan(string(raw), &pid); err != nil {
		return 0
	}
	return pid
}

// isRunning says whether there is such a process.
func isRunning(pid int) bool { return pid != 0 && syscall.Kill(pid, 0) == nil }

// startBot starts one more bot beside the sandbox's own, and returns when it says where it listens.
func (s *sandbox) startBot(ctx context.Context) (_ *process.Process, address string, err error) {
	said := s.log(fmt.Sprintf("bot-beside-%d", s.beside.Add(1))) // of its own: an earlier one's tells of another address
	out, err := process.LogFile(said)
	if err != nil {
		return nil, "", fmt.Errorf("the second bot: %w", err)
	}
	env := append(append(os.Environ(), s.BotEnv...), "LOCAL_HTTP_ADDR=127.0.0.1:0")
	bot, err := process.Start(process.Spec{Path: binary("bot"), Env: env, Dir: s.dir, Output: out})
	if err != nil {
		return nil, "", fmt.Errorf("the second bot: %w", err)
	}
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for {
		if address := listeningAt(said); address != "" {
			return bot, address, nil
		}
		select {
		case <-ticker.C:
		case <-bot.Done():
			return nil, "", fmt.Errorf("the second bot ended: %w\n%s", bot.Err(), process.Tail(said, 5))
		case <-ctx.Done():
			return nil, "", errors.Join(fmt.Errorf("the second bot says not where it listens: %w", ctx.Err()), bot.Kill())
		}
	}
}
