package process_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/process"
)

// beOwner makes this test binary a program that starts a child, says its id and waits to be killed.
const beOwner = "ATLAS_TEST_BE_OWNER"

func TestMain(m *testing.M) {
	if os.Getenv(beOwner) == "" {
		os.Exit(m.Run())
	}
	p, err := process.Start(process.Spec{Path: "/bin/sleep", Args: []string{"300"}, Dir: "/"})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(p.PID())
	<-p.Done()
}

func start(t *testing.T, script string) (*process.Process, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	log, err := process.LogFile(path)
	require.NoError(t, err)
	p, err := process.Start(process.Spec{Path: "/bin/sh", Args: []string{"-c", script}, Env: []string{"PATH=/bin:/usr/bin"}, Dir: "/", Output: log})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) })
	return p, path
}

func TestStopIsOrderlyWhenItCanBe(t *testing.T) {
	t.Parallel()
	p, log := start(t, `trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.05; done`)
	waitFor(t, func() bool { return strings.Contains(process.Tail(log, 1), "ready") })
	require.NoError(t, p.Stop(context.Background(), time.Minute))
	require.NoError(t, p.Err())
	require.Equal(t, "asked", process.Tail(log, 1))
	require.NoError(t, p.Stop(context.Background(), time.Minute), "stopping again is no error")
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	t.Parallel()
	p, log := start(t, `trap '' TERM; echo ready; while :; do sleep 0.05; done`)
	waitFor(t, func() bool { return strings.Contains(process.Tail(log, 1), "ready") })
	require.NoError(t, p.Stop(context.Background(), 50*time.Millisecond))
	require.ErrorContains(t, p.Err(), "killed")
	require.False(t, process.Alive(p.PID()))
}

func TestChildEndsWithItsKilledOwner(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a child with its owner")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	owner := exec.Command(self)
	owner.Env = append(os.Environ(), beOwner+"=yes")
	out, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	child, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err, line)
	require.True(t, process.Alive(child))
	require.NoError(t, owner.Process.Signal(syscall.SIGKILL))
	require.Error(t, owner.Wait())
	waitFor(t, func() bool { return !running(child) })
}

// running is Alive without the dead that nobody has waited for yet.
func running(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(raw), ") ")
	return !strings.HasPrefix(state, "Z")
}

func waitFor(t *testing.T, isTrue func() bool) {
	t.Helper()
	require.Eventually(t, isTrue, time.Minute, 10*time.Millisecond)
}
