package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMain makes the test's own program the command when a test starts it as a process.
func TestMain(m *testing.M) {
	if os.Getenv("VPNNODE_TEST_IS_COMMAND") != "" {
		os.Exit(run())
	}
	os.Exit(m.Run())
}

func command(t *testing.T, environment ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), program)
	c.Env = append([]string{"VPNNODE_TEST_IS_COMMAND=yes", "HOME=" + t.TempDir()}, environment...)
	return c
}

// What systemd and containers send stops it in order, without an error.
func TestSIGTERMStopsItInOrder(t *testing.T) {
	t.Parallel()
	c := command(t, "VPNNODE_API_KEY=a key that only tests know", "VPNNODE_LISTEN=127.0.0.1:0",
		"VPNNODE_XRAY_LISTEN=127.0.0.1:0", "VPNNODE_STATE_DIR="+t.TempDir())
	output, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	lines := bufio.NewReader(output)
	for line := ""; !strings.Contains(line, `"msg":"ready"`); {
		line, err = lines.ReadString('\n')
		require.NoError(t, err, "it ended before it was ready")
	}
	require.NoError(t, c.Process.Signal(syscall.SIGTERM))
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	require.NoError(t, c.Wait())
	require.Contains(t, string(rest), `"msg":"stopped"`)
}

func TestItDoesNotStartWithoutAKey(t *testing.T) {
	t.Parallel()
	c := command(t, "VPNNODE_XRAY_LISTEN=127.0.0.1:0")
	output, err := c.CombinedOutput()
	require.Error(t, err)
	require.Equal(t, 2, c.ProcessState.ExitCode())
	require.Contains(t, string(output), "\nVPNNODE_API_KEY: ")
}
