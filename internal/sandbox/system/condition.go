package system

import (
	"sync"
	"time"

	"atlas-secure/internal/sandbox/panel"
)

// condition is how a process or server is now, and since when.
type condition struct {
	mu    sync.Mutex
	state string
	since time.Time
}

func (c *condition) is(state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state, c.since = state, time.Now()
}

func (c *condition) now() (state string, since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state, c.since
}

// actions are what can be done to something in a state.
func actions(state string) []panel.Action {
	switch state {
	case panel.Up:
		return []panel.Action{panel.Stop, panel.Freeze, panel.Kill}
	case panel.Frozen:
		return []panel.Action{panel.Continue, panel.Stop, panel.Kill}
	case panel.Stopped:
		return []panel.Action{panel.Start}
	default:
		return []panel.Action{panel.Stop}
	}
}
