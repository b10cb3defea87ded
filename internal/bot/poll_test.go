package bot_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/bot"
	"atlas-secure/internal/telegram"
)

// question is one getUpdates.
type question struct {
	at     time.Time
	offset int64
	last   int64 // the highest update of the answer; 0 for none
}

// switchboard stands between a poller and Telegram, notes what is asked, and answers in Telegram's place what refusal gives.
type switchboard struct {
	telegram *httputil.ReverseProxy

	mu      sync.Mutex
	asked   []question
	refusal func(number int) string // "": Telegram's turn; else the body
}

// switchboardAt starts a switchboard, and gives what makes a bot ask there for updates.
func (b *bundle) switchboardAt(t *testing.T, refusal func(number int) string) (*switchboard, func(*bot.Parts)) {
	t.Helper()
	to, err := url.Parse(b.api.URL)
	require.NoError(t, err)
	d := &switchboard{telegram: httputil.NewSingleHostReverseProxy(to), refusal: refusal}
	d.telegram.ModifyResponse = d.note
	d.telegram.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	server := httptest.NewServer(d)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	client, err := telegram.NewClient(token, server.URL)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdle)
	return d, func(p *bot.Parts) { p.Client = client }
}

func (d *switchboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/getUpdates") {
		d.telegram.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	var asked struct {
		Offset int64 `json:"offset"`
	}
	if err != nil || json.Unmarshal(body, &asked) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	d.mu.Lock()
	d.asked = append(d.asked, question{at: time.Now(), offset: asked.Offset})
	refused := d.refusal(len(d.asked))
	d.mu.Unlock()
	if refused == "" {
		d.telegram.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, refused)
}

// note reads how far an answer goes. One poller asks one question after the other.
func (d *switchboard) note(answer *http.Response) error {
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	var told struct {
		Result []struct {
			ID int64 `json:"update_id"`
		} `json:"result"`
	}
	if json.Unmarshal(body, &told) != nil || len(told.Result) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked[len(d.asked)-1].last = told.Result[len(told.Result)-1].ID
	return nil
}

func (d *switchboard) questions() []question {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]question(nil), d.asked...)
}

func (d *switchboard) waitQuestions(t *testing.T, count int) []question {
	t.Helper()
	require.Eventually(t, func() bool { return len(d.questions()) >= count }, patience, poll)
	return d.questions()
}

func never(int) string { return "" }

// TestAPollerAsksForWhatComesNext: each question confirms what the answers before it had, and asks for nothing twice.
func TestAPollerAsksForWhatComesNext(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d, atSwitchboard := b.switchboardAt(t, never)
	b.startBot(t, atSwitchboard)
	bob := b.started(t, "Bob", "en")
	for range 3 {
		b.send(t, bob, "/help")
		b.waitHandled(t)
	}
	var next int64
	answers := 0
	for i, q := range d.questions() {
		require.Equal(t, next, q.offset, "question %d", i)
		if q.last != 0 {
			next = q.last + 1
			answers++
		}
	}
	require.GreaterOrEqual(t, answers, 2)
	require.Equal(t, 5, b.count(t, `select count(*)::int from inbox.update`))
}

// TestAPollerThatIsRefusedLeavesTelegramAlone for longer each time, and for as long as Telegram says.
func TestAPollerThatIsRefusedLeavesTelegramAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d, atSwitchboard := b.switchboardAt(t, func(number int) string {
		switch {
		case number <= 3:
			return `{"ok":false,"error_code":502,"description":"Bad Gateway"}`
		case number == 4:
			return `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}`
		default:
			return ""
		}
	})
	b.startBot(t, atSwitchboard)
	asked := d.waitQuestions(t, 5)
	for i, least := range []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 7 * time.Second} {
		require.GreaterOrEqual(t, asked[i+1].at.Sub(asked[i].at), least, "after %d refusals", i+1)
	}
	b.started(t, "Bob", "en")
}

// TestAPollerThatIsThrownOutAsksNoMore when another has its lease, though it has not noticed yet.
func TestAPollerThatIsThrownOutAsksNoMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d, atSwitchboard := b.switchboardAt(t, func(number int) string {
		if number == 1 {
			_, err := b.db.Owner.Exec(b.ctx, `update ops.lease set holder = 'another', epoch = epoch + 1, expires_at = core.now() + interval '6 seconds'`)
			if err != nil {
				return err.Error()
			}
			return `{"ok":false,"error_code":409,"description":"Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"}`
		}
		return ""
	})
	b.startBot(t, atSwitchboard)
	asked := d.waitQuestions(t, 2)
	require.GreaterOrEqual(t, asked[1].at.Sub(asked[0].at), 5*time.Second, "it asked while another had the lease")
	b.started(t, "Bob", "en")
}
