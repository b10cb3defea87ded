package botapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// keepAlive is how often an idle stream says that it is there.
const keepAlive = 15 * time.Second

// readChat answers at once, or with since and wait when the chat's revision is another one than since.
func (s *Server) readChat(r *http.Request) (any, error) {
	limit := int(queryNumber(r, "limit", 100, 1000))
	since, wait := queryNumber(r, "since", -1, 1<<62), waitOf(r)
	hasSince := r.URL.Query().Has("since")

	s.mu.Lock()
	person, b, err := s.actors(r)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	key := chatKey{b.Key, person.ID}
	view := s.view(b, person, limit)
	if !hasSince || wait == 0 || view.Revision != since {
		s.mu.Unlock()
		return view, nil
	}
	w := s.watch(func(changed chatKey) bool { return changed == key })
	s.mu.Unlock()
	defer s.unwatch(w)
	s.wait(r, w.wake, wait)

	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view(b, s.state.people[person.ID], limit), nil
}

// serveEvents streams which chats changed (server-sent events): {"bot", "person", "revision"}.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		http.Error(w, "closing", http.StatusServiceUnavailable)
		return
	}
	watching := s.watch(func(chatKey) bool { return true })
	s.mu.Unlock()
	defer s.unwatch(watching)

	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = fmt.Fprint(w, "retry: 1000\n\n: here\n\n")
	beat := time.NewTicker(keepAlive)
	defer beat.Stop()
	for {
		if control.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-s.ctx.Done():
			return
		case <-beat.C:
			_, _ = fmt.Fprint(w, ": here\n\n")
		case <-watching.wake:
			for _, event := range s.takeEvents(watching) {
				raw, _ := json.Marshal(event) // two numbers and a name
				_, _ = fmt.Fprintf(w, "event: chat\ndata: %s\n\n", raw)
			}
		}
	}
}

type chatEvent struct {
	Bot      string `json:"bot"`
	Person   int64  `json:"person"`
	Revision int64  `json:"revision"`
}

func (s *Server) takeEvents(w *watcher) []chatEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	var events []chatEvent
	for key, revision := range w.dirty {
		events = append(events, chatEvent{Bot: key.bot, Person: key.person, Revision: revision})
	}
	clear(w.dirty)
	return events
}
