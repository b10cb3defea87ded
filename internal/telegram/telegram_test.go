package telegram_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mymmrac/telego"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/telegram"
	"atlas-secure/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

const token = "123456:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// script answers the calls of the Bot API one after the other, and remembers them.
type script struct {
	mu      sync.Mutex
	answers []http.HandlerFunc
	calls   []call
}

type call struct {
	method string
	body   map[string]any
	at     time.Time
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	var body map[string]any
	_ = json.Unmarshal(text, &body)
	s.mu.Lock()
	s.calls = append(s.calls, call{method: path.Base(r.URL.Path), body: body, at: time.Now()})
	answer := say(200, `{"ok":true,"result":{"message_id":77,"date":1,"chat":{"id":5,"type":"private"}}}`)
	if len(s.answers) > 0 {
		answer, s.answers = s.answers[0], s.answers[1:]
	}
	s.mu.Unlock()
	answer(w, r)
}

func (s *script) methods() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.calls))
	for _, c := range s.calls {
		names = append(names, c.method)
	}
	return names
}

func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func refuse(code int, description string) http.HandlerFunc {
	return say(code, fmt.Sprintf(`{"ok":false,"error_code":%d,"description":%q}`, code, description))
}

func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

type bundle struct {
	script      *script
	client      *telegram.Client
	sender      *telegram.Sender
	unreachable chan int64
}

func setup(t *testing.T, answers ...http.HandlerFunc) *bundle {
	t.Helper()
	b := &bundle{script: &script{answers: answers}, unreachable: make(chan int64, 10)}
	server := httptest.NewServer(b.script)
	t.Cleanup(server.Close)
	client, err := telegram.NewClient(token, server.URL)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdle)
	b.client = client
	b.sender = telegram.NewSender(client, limit.New(nil, ""), obs.Discard(),
		telegram.WithOnUnreachable(func(_ context.Context, id int64) { b.unreachable <- id }))
	return b
}

func hello() telegram.Message { return telegram.Message{ChatID: 5, HTML: "hello"} }

func TestHowASendEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   telegram.Class
	}{
		"yes":                      {say(200, `{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":5,"type":"private"}}}`), telegram.Delivered},
		"bad request":              {refuse(400, "Bad Request: message text is empty"), telegram.Refused},
		"blocked":                  {refuse(403, "Forbidden: bot was blocked by the user"), telegram.Unreachable},
		"never started":            {refuse(400, "Bad Request: chat not found"), telegram.Unreachable},
		"server error":             {refuse(500, "Internal Server Error"), telegram.Unknown},
		"error under a 200":        {say(200, `{"ok":false,"error_code":500,"description":"Internal Server Error"}`), telegram.Unknown},
		"gateway page":             {say(502, `<html>bad gateway</html>`), telegram.Unknown},
		"proxy refuses":            {say(407, `<html>who are you</html>`), telegram.NotSent},
		"hangs up":                 {hangUp, telegram.Unknown},
		"half an answer":           {say(200, `{"ok":true,"res`), telegram.Unknown},
		"neither yes nor no":       {say(200, `{}`), telegram.Unknown},
		"redirect is not followed": {http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound).ServeHTTP, telegram.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, c.answer)
			_, err := b.sender.Send(t.Context(), hello())
			require.Equal(t, c.want.String(), telegram.Classify(err).String(), "%v", err)
			require.Len(t, b.script.methods(), 1, "a send is never repeated on its own")
		})
	}
}

func TestNothingListeningIsCertainlyNotSent(t *testing.T) {
	t.Parallel()
	client, err := telegram.NewClient(token, "http://127.0.0.1:1") // nobody has port 1
	require.NoError(t, err)
	sender := telegram.NewSender(client, limit.New(nil, ""), obs.Discard())
	_, err = sender.Send(t.Context(), hello())
	require.Equal(t, telegram.NotSent, telegram.Classify(err))
	requireNoToken(t, err)
}

func TestNoErrorHoldsTheToken(t *testing.T) {
	t.Parallel()
	slow := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, answer := range []http.HandlerFunc{hangUp, slow, say(502, "x"), refuse(404, "Not Found"), say(200, "x")} {
		b := setup(t, answer)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := b.sender.Send(ctx, hello())
		cancel()
		requireNoToken(t, err)
	}
	_, err := telegram.NewClient("not a token", "")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "not a token")
	client, err := telegram.NewClient(token, "http://a b/")
	require.NoError(t, err)
	_, err = client.PollUpdates(t.Context(), 0, 0, nil)
	requireNoToken(t, err)
}

func requireNoToken(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	require.NotContains(t, fmt.Sprintf("%v %+v %q", err, err, err), strings.Split(token, ":")[1])
}

func TestTooManyRequestsSilencesEverybody(t *testing.T) {
	t.Parallel()
	b := setup(t, say(429, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 1","parameters":{"retry_after":1}}`))
	started := time.Now()
	id, err := b.sender.Send(t.Context(), hello())
	require.NoError(t, err)
	require.Equal(t, 77, id)
	require.GreaterOrEqual(t, time.Since(started), time.Second)
	require.Len(t, b.script.methods(), 2)

	b = setup(t, say(429, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 30","parameters":{"retry_after":30}}`))
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
	defer cancel()
	_, err = b.sender.Send(ctx, hello())
	require.ErrorIs(t, err, telegram.ErrNoTimeLeft)
	other := hello()
	other.ChatID = 6
	_, err = b.sender.Send(ctx, other)
	require.Equal(t, telegram.NotSent, telegram.Classify(err))
	require.Len(t, b.script.methods(), 1, "nobody else is written to meanwhile")
}

// TestADocumentIsSentAsAWhole, also when it has to be sent once more.
func TestADocumentIsSentAsAWhole(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("row\r\n", 100_000)
	var sent []string
	see := func(then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			file, head, err := r.FormFile("document")
			if !assert.NoError(t, err) {
				return
			}
			text, err := io.ReadAll(file)
			assert.NoError(t, err)
			assert.Equal(t, content, string(text))
			sent = append(sent, strings.Join([]string{head.Filename, r.FormValue("caption"), r.FormValue("parse_mode"), r.FormValue("reply_markup")}, "|"))
			then(w, r)
		}
	}
	answers := []http.HandlerFunc{
		see(say(429, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 1","parameters":{"retry_after":1}}`)),
		see(say(200, `{"ok":true,"result":{"message_id":78,"date":1,"chat":{"id":5,"type":"private"}}}`)),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers[len(sent)](w, r)
	}))
	t.Cleanup(server.Close)
	client, err := telegram.NewClient(token, server.URL)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdle)
	sender := telegram.NewSender(client, limit.New(nil, ""), obs.Discard())
	id, err := sender.Send(t.Context(), telegram.Message{
		ChatID: 5, HTML: "<b>Users</b>",
		Document: &telegram.Document{Name: "users.csv", Size: int64(len(content)), Content: strings.NewReader(content)},
		Keyboard: &telego.InlineKeyboardMarkup{InlineKeyboard: [][]telego.InlineKeyboardButton{{{Text: "Back", CallbackData: "a"}}}},
	})
	require.NoError(t, err)
	require.Equal(t, 78, id)
	want := `users.csv|<b>Users</b>|HTML|{"inline_keyboard":[[{"text":"Back","callback_data":"a"}]]}`
	require.Equal(t, []string{want, want}, sent)
}

func TestOneChatGetsOneMessageASecond(t *testing.T) {
	t.Parallel()
	b := setup(t)
	started := time.Now()
	for range 4 {
		_, err := b.sender.Send(t.Context(), hello())
		require.NoError(t, err)
	}
	require.GreaterOrEqual(t, time.Since(started), 900*time.Millisecond, "three at once, then one a second")
}

func TestAChatWhoseTurnIsTooFarOffHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	limits := telegram.DefaultLimits()
	limits.Chat = limit.Rule{Events: 1, Per: time.Hour, Burst: 1}
	sender := telegram.NewSender(b.client, limit.New(nil, ""), obs.Discard(), telegram.WithLimits(limits))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	_, err := sender.Send(ctx, hello())
	require.NoError(t, err)
	_, err = sender.Send(ctx, hello())
	require.ErrorIs(t, err, telegram.ErrNoTimeLeft)
	_, err = sender.Send(ctx, telegram.Message{ChatID: 6, HTML: "x"})
	require.NoError(t, err)
}

func TestUnreachableIsReported(t *testing.T) {
	t.Parallel()
	b := setup(t, refuse(403, "Forbidden: user is deactivated"))
	_, err := b.sender.Send(t.Context(), hello())
	require.Equal(t, telegram.Unreachable, telegram.Classify(err))
	require.Equal(t, int64(5), <-b.unreachable)
}

func TestShow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers []http.HandlerFunc
		message telegram.Message
		want    []string
	}{
		"edits in place":              {nil, hello(), []string{"editMessageText"}},
		"the same again is fine":      {[]http.HandlerFunc{refuse(400, "Bad Request: message is not modified: specified new message content and reply markup are exactly the same")}, hello(), []string{"editMessageText"}},
		"gone: sends anew":            {[]http.HandlerFunc{refuse(400, "Bad Request: message to edit not found")}, hello(), []string{"editMessageText", "sendMessage"}},
		"a photo cannot become text":  {[]http.HandlerFunc{refuse(400, "Bad Request: there is no text in the message to edit")}, hello(), []string{"editMessageText", "sendMessage"}},
		"nor an invoice":              {[]http.HandlerFunc{refuse(400, "Bad Request: REPLY_MARKUP_BUY_EMPTY")}, hello(), []string{"editMessageText", "sendMessage"}},
		"unknown outcome: edit again": {[]http.HandlerFunc{hangUp}, hello(), []string{"editMessageText", "editMessageText"}},
		"a photo is always new":       {nil, telegram.Message{ChatID: 5, PNG: []byte("png")}, []string{"sendPhoto"}},
		"a document is always new":    {nil, telegram.Message{ChatID: 5, Document: &telegram.Document{Name: "a.csv", Size: 1, Content: strings.NewReader("a")}}, []string{"sendDocument"}},
		"an invoice is always new":    {nil, telegram.Message{ChatID: 5, Invoice: &telegram.Invoice{Currency: "XTR", Amount: 3}}, []string{"sendInvoice"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, c.answers...)
			_, err := b.sender.Show(t.Context(), 9, c.message)
			require.NoError(t, err)
			require.Equal(t, c.want, b.script.methods())
		})
	}
}

func TestAnswersToOldQueriesAreNoErrors(t *testing.T) {
	t.Parallel()
	old := refuse(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
	b := setup(t, old, old)
	require.NoError(t, b.sender.AnswerPress(t.Context(), "1", "", false))
	require.NoError(t, b.sender.AnswerPreCheckout(t.Context(), "1", "no"))
	require.Equal(t, []string{"answerCallbackQuery", "answerPreCheckoutQuery"}, b.script.methods())
}

func TestPollKeepsUpdatesAsTheyAre(t *testing.T) {
	t.Parallel()
	b := setup(t, say(200, `{"ok":true,"result":[{"update_id":41,"message":{"odd":[1,2]}},{"update_id":42,"from_the_future":{}}]}`),
		refuse(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"))
	updates, err := b.client.PollUpdates(t.Context(), 40, 5*time.Second, []string{"message"})
	require.NoError(t, err)
	require.Len(t, updates, 2)
	require.Equal(t, int64(42), updates[1].ID)
	require.JSONEq(t, `{"update_id":41,"message":{"odd":[1,2]}}`, string(updates[0].JSON))
	require.Equal(t, map[string]any{"offset": 40.0, "limit": 100.0, "timeout": 5.0, "allowed_updates": []any{"message"}}, b.script.calls[0].body)

	_, err = b.client.PollUpdates(t.Context(), 40, 0, nil)
	require.True(t, telegram.IsConflict(err))
	require.True(t, telegram.IsWebhookActive(err))
	_, err = telegram.ParseUpdate([]byte(`{"message":{}}`))
	require.Error(t, err)
}
