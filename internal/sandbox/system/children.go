package system

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"

	"atlas-secure/internal/sandbox/panel"
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

	mu      sync.Mutex // guards info.Processes, the file and members
	members []*member
}

// member is a child and how it is. One goroutine, keep, owns its process.
type member struct {
	child  child
	cancel context.CancelFunc
	done   chan struct{}
	orders chan order
	condition

	running *process.Process // of keep's goroutine; nil while it is away
	isAway  bool             // by order
}

type order struct {
	action panel.Action
	done   chan error
}

// add starts a child and keeps it running until stop.
func (f *family) add(ctx context.Context, c child) error {
	first, err := f.start(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // ended by stop, in order
	m := &member{child: c, cancel: cancel, done: make(chan struct{}), orders: make(chan order), running: first}
	m.is(panel.Up)
	f.mu.Lock()
	f.members = append(f.members, m)
	f.mu.Unlock()
	go func() {
		defer close(m.done)
		f.keep(ctx, m)
	}()
	return nil
}

// keep waits for deaths and orders. It starts the child again, ever more slowly while it keeps dying at once.
func (f *family) keep(ctx context.Context, m *member) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 300*time.Millisecond, 10*time.Second
	started := time.Now()
	for {
		if m.running != nil {
			if !f.accompany(ctx, m) {
				return
			}
			if time.Since(started) > steady {
				pause.Reset()
			}
			continue
		}
		if !f.await(ctx, m, pause.NextBackOff()) {
			return
		}
		var err error
		if m.running, err = f.start(m.child); err != nil {
			f.say("%v", err)
			continue
		}
		started = time.Now()
		m.is(panel.Up)
	}
}

// accompany stays with a running child until it is away; false means that all of it ends.
func (f *family) accompany(ctx context.Context, m *member) bool {
	for m.running != nil {
		select {
		case <-ctx.Done():
			if err := m.end(context.WithoutCancel(ctx)); err != nil {
				f.say("%s does not stop: %v", m.child.name, err)
			}
			return false
		case <-m.running.Done():
			f.say("%s has died (%v) and is started again; its log: %s", m.child.name, m.running.Err(), f.logPath(m.child))
			m.running = nil
			m.is(panel.Starting)
		case o := <-m.orders:
			o.done <- f.obey(ctx, m, o.action)
		}
	}
	return true
}

// await passes the time until the child is to be started: a pause, or the order to. False means that all of it ends.
func (f *family) await(ctx context.Context, m *member, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		due := timer.C
		if m.isAway {
			due = nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-due:
			return true
		case o := <-m.orders:
			switch o.action {
			case panel.Start:
				m.isAway = false
				o.done <- nil
				return true
			case panel.Stop:
				m.isAway = true
				m.is(panel.Stopped)
				o.done <- f.note(m.child.name, 0)
			default:
				o.done <- panel.Refuse(http.StatusConflict, "%s is not running", m.child.name)
			}
		}
	}
}

// obey carries an order out on a running child.
func (f *family) obey(ctx context.Context, m *member, action panel.Action) error {
	switch action {
	case panel.Stop:
		if err := m.end(ctx); err != nil {
			return fmt.Errorf("%s does not stop: %w", m.child.name, err)
		}
		m.running, m.isAway = nil, true
		m.is(panel.Stopped)
		f.say("%s is stopped.", m.child.name)
		return f.note(m.child.name, 0)
	case panel.Freeze:
		if err := m.running.Signal(syscall.SIGSTOP); err != nil {
			return fmt.Errorf("%s: %w", m.child.name, err)
		}
		m.is(panel.Frozen)
	case panel.Continue:
		if err := m.running.Signal(syscall.SIGCONT); err != nil {
			return fmt.Errorf("%s: %w", m.child.name, err)
		}
		m.is(panel.Up)
	case panel.Kill:
		if err := m.running.Kill(); err != nil {
			return fmt.Errorf("%s: %w", m.child.name, err)
		}
		m.is(panel.Starting)
	default:
		return panel.Refuse(http.StatusConflict, "%s is running", m.child.name)
	}
	return nil
}

// end stops the process in order; a frozen one goes on for that.
func (m *member) end(ctx context.Context) error {
	return errors.Join(m.running.Signal(syscall.SIGCONT), m.running.Stop(ctx, grace))
}

// order hands an order to the child's keeper and waits until it is carried out.
func (m *member) order(ctx context.Context, action panel.Action) error {
	o := order{action: action, done: make(chan error, 1)}
	select {
	case m.orders <- o:
		return <-o.done
	case <-m.done:
		return panel.Refuse(http.StatusConflict, "the sandbox is being stopped")
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", m.child.name, context.Cause(ctx))
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
	if err := f.note(c.name, running.PID()); err != nil {
		return nil, errors.Join(err, running.Kill())
	}
	return running, nil
}

// note writes a child's number into sandbox.json; 0 means that it is away by order.
func (f *family) note(name string, pid int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.info.Processes[name] = pid
	return f.info.write(f.opts.StateDir)
}

// stop ends the children, the youngest first.
func (f *family) stop() {
	members := f.all()
	for i := len(members) - 1; i >= 0; i-- {
		members[i].cancel()
	}
	for _, m := range members {
		<-m.done
	}
}

func (f *family) all() []*member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*member{}, f.members...)
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
