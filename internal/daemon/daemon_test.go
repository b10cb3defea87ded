package daemon

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

const (
	playsProgram = "ATLAS_TEST_PLAYS_PROGRAM"
	graceOfIt    = 100 * time.Millisecond
)

// TestMain is also the program that a test tells to stop: one that hangs, or one that ends when it is told.
func TestMain(m *testing.M) {
	if how := os.Getenv(playsProgram); how != "" {
		os.Exit(Main(&cobra.Command{Use: "program", SilenceUsage: true, SilenceErrors: true, RunE: func(command *cobra.Command, _ []string) error {
			_, _ = os.Stdout.WriteString("ready\n")
			if how == "hangs" {
				time.Sleep(30 * time.Second)
			}
			<-command.Context().Done()
			return map[string]error{"fails": errors.New("no")}[how]
		}}, graceOfIt, os.Stderr))
	}
	os.Exit(m.Run())
}

// told starts the program, tells it to stop once it is ready, and gives its exit code, what it said, and the time it took.
func told(t *testing.T, how string) (code int, said string, took time.Duration) {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), playsProgram+"="+how)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	words, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	start := time.Now()
	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	all, err := io.ReadAll(words)
	require.NoError(t, err)
	_ = command.Wait()
	return command.ProcessState.ExitCode(), string(all), time.Since(start)
}

// TestToldToStop: a program that ends says so by its exit code; one that hangs is ended when its grace and the time for last
// words are over.
func TestToldToStop(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]struct {
		code int
		said string
	}{
		"ends":  {0, ""},
		"fails": {1, "program: no\n"},
		"hangs": {1, "program: told to stop: 100ms for what is in hand; a second signal ends it at once\n" +
			"program: ended by force: still not done 4.1s after it was told to stop\n"},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			code, said, took := told(t, how)
			require.Equal(t, want.code, code)
			require.Contains(t, said, want.said)
			if how == "hangs" {
				require.GreaterOrEqual(t, took, graceOfIt+lastWords)
			}
		})
	}
}
