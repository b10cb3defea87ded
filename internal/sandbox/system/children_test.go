package system

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/panel"
)

// nothing is a program that does nothing until it is told to end. It catches the signal, as ours do: the kernel ends one
// that does not even where it is frozen.
const nothing = "#!/bin/sh\ntrap 'exit 0' TERM\nwhile :; do sleep 0.02; done\n"

// startFamily has one child, "bot".
func startFamily(t *testing.T) (*family, *member) {
	t.Helper()
	t.Parallel()
	dir := t.TempDir()
	opts := &Options{StateDir: dir, BinDir: dir, Out: &bytes.Buffer{}}
	require.NoError(t, os.Mkdir(opts.path(logsDir), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "atlas-bot"), []byte(nothing), 0o700))
	f := &family{opts: opts, info: &Info{Processes: map[string]int{}}}
	require.NoError(t, f.add(t.Context(), child{name: "bot", program: "bot"}))
	t.Cleanup(f.stop)
	return f, f.all()[0]
}

func is(t *testing.T, m interface{ now() (string, time.Time) }, want string) {
	t.Helper()
	require.Eventually(t, func() bool { state, _ := m.now(); return state == want }, time.Minute, time.Millisecond, want)
}

// stays looks for longer than the pause before a new start.
func stays(t *testing.T, m interface{ now() (string, time.Time) }, want string) {
	t.Helper()
	require.Never(t, func() bool { state, _ := m.now(); return state != want }, time.Second, time.Millisecond, want)
}

func exists(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestChildIsStoppedAndStarted(t *testing.T) {
	f, m := startFamily(t)
	first := f.pid("bot")
	is(t, m, panel.Up)
	require.True(t, exists(first))
	require.Error(t, m.order(t.Context(), panel.Start), "it runs")

	require.NoError(t, m.order(t.Context(), panel.Stop))
	is(t, m, panel.Stopped)
	require.False(t, exists(first))
	require.Zero(t, f.pid("bot"))
	info, err := ReadInfo(f.opts.StateDir)
	require.NoError(t, err)
	require.Zero(t, info.Processes["bot"], "sandbox.json is true")
	stays(t, m, panel.Stopped)
	for _, action := range []panel.Action{panel.Freeze, panel.Kill, panel.Continue} {
		require.Error(t, m.order(t.Context(), action), action)
	}
	require.NoError(t, m.order(t.Context(), panel.Stop), "it is stopped")

	require.NoError(t, m.order(t.Context(), panel.Start))
	is(t, m, panel.Up)
	require.NotEqual(t, first, f.pid("bot"))
	require.True(t, exists(f.pid("bot")))
}

func TestKilledChildComesBack(t *testing.T) {
	f, m := startFamily(t)
	first := f.pid("bot")
	require.NoError(t, m.order(t.Context(), panel.Kill))
	is(t, m, panel.Up)
	require.NotEqual(t, first, f.pid("bot"))
	require.False(t, exists(first))
}

func TestFrozenChildGoesOnOrEnds(t *testing.T) {
	f, m := startFamily(t)
	pid := f.pid("bot")
	require.NoError(t, m.order(t.Context(), panel.Freeze))
	is(t, m, panel.Frozen)
	require.NoError(t, m.order(t.Context(), panel.Continue))
	is(t, m, panel.Up)
	require.Equal(t, pid, f.pid("bot"))

	require.NoError(t, m.order(t.Context(), panel.Freeze))
	began := time.Now()
	require.NoError(t, m.order(t.Context(), panel.Stop))
	require.Less(t, time.Since(began), grace, "a frozen process goes on in order to end")
	is(t, m, panel.Stopped)
	require.False(t, exists(pid))
}

func TestOrdersAfterTheEndAreRefused(t *testing.T) {
	f, m := startFamily(t)
	f.stop()
	require.Error(t, m.order(t.Context(), panel.Kill))
}

// fakeServer is a server that counts its starts.
type fakeServer struct {
	mu     sync.Mutex
	closed chan struct{}
	starts int
	frozen bool
}

func (s *fakeServer) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *fakeServer) Restart(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = make(chan struct{})
	s.starts++
	return nil
}

func (s *fakeServer) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}

func (s *fakeServer) Freeze() error { s.frozen = true; return nil }
func (s *fakeServer) Thaw() error   { s.frozen = false; return nil }

func TestServerStaysAwayUntilItIsStarted(t *testing.T) {
	t.Parallel()
	s := &fakeServer{closed: make(chan struct{})}
	k := newKeeper("redis", "Redis", s, func(string, ...any) {})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- k.keep(ctx) }()

	require.NoError(t, k.order(panel.Kill))
	is(t, k, panel.Up)
	for range 3 {
		require.NoError(t, k.order(panel.Stop))
		is(t, k, panel.Stopped)
		require.NoError(t, k.order(panel.Start))
		is(t, k, panel.Up)
	}
	require.Error(t, k.order(panel.Start), "it runs")
	require.NoError(t, k.order(panel.Freeze))
	is(t, k, panel.Frozen)
	require.NoError(t, k.order(panel.Continue))
	is(t, k, panel.Up)
	require.NoError(t, k.order(panel.Stop))
	stays(t, k, panel.Stopped)
	starts := s.starts
	require.Equal(t, 4, starts)
	cancel()
	require.NoError(t, <-ended)
	require.Equal(t, starts, s.starts, "not started on the way out")
}
