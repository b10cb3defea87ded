package processes_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// sends notes the messages with a certain text on their way to Telegram; without one it only passes them on.
type sends struct {
	next http.Handler

	mu      sync.Mutex
	text    string
	at      []time.Time   // when each was given to Telegram
	taken   map[int64]int // by person, those that Telegram took
	refused map[int]int   // by status
}

// watch begins to note messages with a text.
func (s *sends) watch(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text, s.at, s.taken, s.refused = text, nil, map[int64]int{}, map[int]int{}
}

func (s *sends) watched() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text
}

// ServeHTTP implements http.Handler.
func (s *sends) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text := s.watched()
	if text == "" || !strings.HasSuffix(r.URL.Path, "/sendMessage") {
		s.next.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var message struct {
		ChatID int64  `json:"chat_id"`
		Text   string `json:"text"`
	}
	_ = json.Unmarshal(body, &message)
	at, answer := time.Now(), &status{ResponseWriter: w, code: http.StatusOK}
	s.next.ServeHTTP(answer, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if answer.code == http.StatusTooManyRequests {
		s.refused[answer.code]++ // whatever it was
	}
	if message.Text != text {
		return
	}
	s.at = append(s.at, at)
	if answer.code == http.StatusOK {
		s.taken[message.ChatID]++
	} else if answer.code != http.StatusTooManyRequests {
		s.refused[answer.code]++
	}
}

// busiest is the most messages that were given to Telegram in any one second.
func (s *sends) busiest() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(s.at, time.Time.Compare)
	most, first := 0, 0
	for i, at := range s.at {
		for at.Sub(s.at[first]) >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// pace is how many went out a second, from the first to the last.
func (s *sends) pace() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.at) < 2 {
		return 0
	}
	return float64(len(s.at)) / slices.MaxFunc(s.at, time.Time.Compare).Sub(slices.MinFunc(s.at, time.Time.Compare)).Seconds()
}

// status remembers what was answered.
type status struct {
	http.ResponseWriter

	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}
