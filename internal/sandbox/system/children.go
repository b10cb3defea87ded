package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"atlas-secure/internal/sandbox/process"
)

const (
	// grace is how long a child may take to finish what it has in hand: a little more than its own limit.
	grace = 25 * time.Second
	// steady is how long a child has to run before its next death counts as the first.
	steady = 30 * time.Second
)

// child is a program that is started again when it dies.
type child struct {
	name    string // in sandbox.json and of the log file
	program string
	env     []string
}

// family keeps the children running and sandbox.json true.
type family struct {
	opts *Options
	info *Info

	mu      sync.Mutex // guards info.Processes and the file
	members []member
}

type member struct {
	child  child
	cancel context.CancelFunc
	done   chan struct{}
}

// add starts a child and keeps it running until stop.
func (f *family) add(ctx context.Context, c child) error {
	first, err := f.start(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // ended by stop, in order
	m := member{child: c, cancel: cancel, done: make(chan struct{})}
	f.members = append(f.members, m)
	go func() {
		defer close(m.done)
		f.keep(ctx, c, first)
	}()
	return nil
}

// keep waits for deaths and starts the child again, ever more slowly while it keeps dying at once.
func (f *family) keep(ctx context.Context, c child, running *process.Process) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 300*time.Millisecond, 10*time.Second
	started := time.Now()
	for {
		if running != nil {
			select {
			case <-ctx.Done():
				if err := running.Stop(context.WithoutCancel(ctx), grace); err != nil {
					f.say("%s does not stop: %v", c.name, err)
				}
				return
			case <-running.Done():
				f.say("%s has died (%v) and is started again; its log: %s", c.name, running.Err(), f.logPath(c))
			}
			if time.Since(started) > steady {
				pause.Reset()
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause.NextBackOff()):
		}
		var err error
		if running, err = f.start(c); err != nil {
			f.say("%v", err)
			continue
		}
		started = time.Now()
	}
}

func (f *family) start(c child) (*process.Process, error) {
	log, err := process.LogFile(f.logPath(c))
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.name, err)
	}
	running, err := process.Start(process.Spec{
		Path: f.opts.binary(c.program), Env: append(os.Environ(), c.env...), Dir: f.opts.StateDir, Output: log,
	})
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.info.Processes[c.name] = running.PID()
	if err := f.info.write(f.opts.StateDir); err != nil {
		return nil, errors.Join(err, running.Kill())
	}
	return running, nil
}

// stop ends the children, the youngest first.
func (f *family) stop() {
	for i := len(f.members) - 1; i >= 0; i-- {
		f.members[i].cancel()
	}
	for _, m := range f.members {
		<-m.done
	}
}

func (f *family) pid(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.info.Processes[name]
}

func (f *family) logPath(c child) string { return f.opts.path(logsDir, c.name+".log") }

func (f *family) say(format string, args ...any) {
	_, _ = fmt.Fprintf(f.opts.Out, format+"\n", args...)
}
