// Package process runs the programs that the sandbox and the tests are made of: as another user where
// that is needed, in a process group of their own (Ctrl-C in a terminal reaches their owner only, who
// then stops them in order), with their output in a file, and ended with their owner where the system
// can do that.
package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// killWait is how long a killed process may take to disappear.
const killWait = 30 * time.Second

// Spec says what to run and how.
type Spec struct {
	Path string
	Args []string
	// Env is the whole environment of the process, as KEY=value.
	Env []string
	Dir string
	// User is whom to run as; nil means the user of this process.
	User *User
	// Output receives both stdout and stderr; it is closed when the process has ended.
	Output io.WriteCloser
	// StopSignal asks for an orderly end; SIGTERM when zero. It is also what the process gets when its
	// owner dies without stopping it (on Linux only).
	StopSignal syscall.Signal
}

// Process is a running program. Its end is watched by a goroutine that Start owns.
type Process struct {
	cmd  *exec.Cmd
	stop syscall.Signal
	done chan struct{}
	err  error
}

// Start runs the program and returns as soon as it exists.
//
// The kernel takes the end of the thread that started a process for the end of its owner, and Go ends threads now and
// then. So the goroutine that watches the process starts it too, and keeps its thread until the process has ended.
func Start(spec Spec) (*Process, error) {
	stop := spec.StopSignal
	if stop == 0 {
		stop = syscall.SIGTERM
	}
	cmd := exec.Command(spec.Path, spec.Args...) //nolint:noctx,gosec // stopped by its owner with Stop, in order, never by a context
	cmd.Env, cmd.Dir = spec.Env, spec.Dir
	if cmd.Env == nil {
		cmd.Env = []string{}
	}
	if spec.Output != nil {
		cmd.Stdout, cmd.Stderr = spec.Output, spec.Output
	}
	cmd.SysProcAttr = attributes(stop, spec.User)
	p := &Process{cmd: cmd, stop: stop, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		defer close(p.done)
		if spec.Output != nil {
			defer func() { _ = spec.Output.Close() }()
		}
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		<-p.done
		return nil, fmt.Errorf("start %s: %w", spec.Path, err)
	}
	return p, nil
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the process ended; call it after Done.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal to the process; a process that has ended already is no error.
func (p *Process) Signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !isGone(err) {
		return fmt.Errorf("signal %v to process %d: %w", sig, p.PID(), err)
	}
	return nil
}

// Stop asks the process to end and kills it when it has not ended within the grace period or when ctx
// is over. It returns an error only when the process is still there.
func (p *Process) Stop(ctx context.Context, grace time.Duration) error {
	if err := p.Signal(p.stop); err != nil {
		return err
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return p.Kill()
}

// Kill ends the process at once (SIGKILL) and waits until it is gone.
func (p *Process) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	timer := time.NewTimer(killWait)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		return fmt.Errorf("process %d is still there %v after SIGKILL", p.PID(), killWait)
	}
}

// Run runs a short command to its end, as user when it is not nil, and returns its output; an error
// carries the output too. It keeps its thread meanwhile, as Start does.
func Run(ctx context.Context, user *User, env []string, path string, args ...string) (string, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // the callers name programs found by the launchers
	cmd.Env, cmd.Dir = env, "/"
	cmd.SysProcAttr = attributes(syscall.SIGKILL, user)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w: %s", path, err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

// LogFile opens a log file for appending, readable by its owner only.
func LogFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // a path made by the caller
	if err != nil {
		return nil, fmt.Errorf("open log file: %w", err)
	}
	return f, nil
}

// Tail returns the last lines of a file, for an error message; an unreadable file gives nothing.
func Tail(path string, lines int) string {
	raw, err := os.ReadFile(path) //nolint:gosec // a path made by the caller
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
