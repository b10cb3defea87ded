package system

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"atlas-secure/internal/sandbox/panel"
)

// server is Postgres or Redis.
type server interface {
	Done() <-chan struct{}
	Restart(ctx context.Context) error
	Kill() error
	Freeze() error
	Thaw() error
}

// keeper brings a server back that has died, unless it is away by order.
type keeper struct {
	name   string // in the panel
	title  string
	server server
	say    func(format string, args ...any)
	condition

	acts   sync.Mutex // one act on the server at a time
	isAway bool       // by order; guarded by acts
	wanted chan struct{}
}

func newKeeper(name, title string, s server, say func(format string, args ...any)) *keeper {
	k := &keeper{name: name, title: title, server: s, say: say, wanted: make(chan struct{}, 1)}
	k.is(panel.Up)
	return k
}

// keep lasts until ctx ends or the server cannot be brought back.
func (k *keeper) keep(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-k.done():
		}
		for k.hasToWait() {
			select {
			case <-ctx.Done():
				return nil
			case <-k.wanted:
			}
		}
		if err := k.revive(ctx); err != nil {
			return err
		}
	}
}

func (k *keeper) done() <-chan struct{} {
	k.acts.Lock()
	defer k.acts.Unlock()
	return k.server.Done()
}

func (k *keeper) hasToWait() bool {
	k.acts.Lock()
	defer k.acts.Unlock()
	return k.isAway
}

func (k *keeper) revive(ctx context.Context) error {
	k.acts.Lock()
	defer k.acts.Unlock()
	if ctx.Err() != nil {
		return nil // all of it is being stopped
	}
	k.is(panel.Starting)
	k.say("%s is started again.", k.title)
	if err := k.server.Restart(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // all of it is being stopped
		}
		return fmt.Errorf("bringing %s back: %w", k.title, err)
	}
	k.say("%s is back.", k.title)
	k.is(panel.Up)
	return nil
}

// order does an action; starting is left to keep, and is waited for.
func (k *keeper) order(action panel.Action) error {
	k.acts.Lock()
	defer k.acts.Unlock()
	state, _ := k.now()
	switch action {
	case panel.Freeze:
		return k.become(panel.Frozen, k.server.Freeze)
	case panel.Continue:
		return k.become(panel.Up, k.server.Thaw)
	case panel.Kill:
		k.say("%s is killed.", k.title)
		return k.become(panel.Starting, k.kill)
	case panel.Stop:
		k.isAway = true
		k.say("%s is stopped.", k.title)
		return k.become(panel.Stopped, k.kill)
	case panel.Start:
		if state != panel.Stopped {
			break
		}
		k.isAway = false
		k.is(panel.Starting)
		select {
		case k.wanted <- struct{}{}:
		default: // it will look anyway
		}
		return nil
	default:
	}
	return panel.Refuse(http.StatusConflict, "%s is %s", k.name, state)
}

func (k *keeper) become(state string, act func() error) error {
	if err := act(); err != nil {
		return panel.Refuse(http.StatusConflict, "%s: %s", k.name, err)
	}
	k.is(state)
	return nil
}

func (k *keeper) kill() error {
	if err := k.server.Kill(); err != nil {
		return fmt.Errorf("it is still there: %w", err)
	}
	return nil
}

// thaw lets a frozen server go on: whoever is to stop in order needs it.
func (k *keeper) thaw() error {
	if state, _ := k.now(); state != panel.Frozen {
		return nil
	}
	return k.order(panel.Continue)
}
