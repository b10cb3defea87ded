package botapi_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mymmrac/telego"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

func TestPressedButtonIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	b.start(t)
	b.send(t, "Menu", []telego.InlineKeyboardButton{button("Buy a key", "buy")})
	queries := make(chan *telego.CallbackQuery, 1)
	b.answers(t, func(u telego.Update) {
		query := u.CallbackQuery
		view, err := b.anna.Chat(b.ctx)
		assert.NoError(t, err)
		assert.Equal(t, []botapi.PressedButton{{MessageID: query.Message.GetMessageID(), Data: "buy"}}, view.Loading)
		answer := &telego.AnswerCallbackQueryParams{CallbackQueryID: query.ID, Text: "Soon", ShowAlert: true}
		assert.NoError(t, b.bot.AnswerCallbackQuery(b.ctx, answer))
		assert.ErrorContains(t, b.bot.AnswerCallbackQuery(b.ctx, answer), "query is too old")
		queries <- query
	})
	answer, err := b.anna.Press(b.ctx, "Buy")
	require.NoError(t, err)
	require.True(t, answer.IsAnswered && answer.ShowAlert)
	require.Equal(t, "Soon", answer.Text)
	query := <-queries
	require.Equal(t, b.anna.ID, query.From.ID)
	require.Equal(t, "Menu", query.Message.(*telego.Message).Text)
	view, err := b.anna.Chat(b.ctx)
	require.NoError(t, err)
	require.Empty(t, view.Loading)
	require.Equal(t, "Soon", view.Toasts[0].Text)
}

func TestAnswerAfterTheTimeoutIsRefused(t *testing.T) {
	t.Parallel()
	var passed atomic.Int64
	b := setup(t, botapi.Options{CallbackTimeout: time.Minute, Now: func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }})
	b.start(t)
	sent := b.send(t, "Menu", []telego.InlineKeyboardButton{button("Buy", "buy")})
	_, err := b.anna.Tap(b.ctx, person.Tap{MessageID: sent.MessageID, Data: "buy"})
	require.NoError(t, err)
	query := b.updates(t, 0)[0].CallbackQuery
	passed.Store(int64(time.Minute))
	requireAPIError(t, b.bot.AnswerCallbackQuery(b.ctx, &telego.AnswerCallbackQueryParams{CallbackQueryID: query.ID}), 400,
		"Bad Request: query is too old and response timeout expired or query ID is invalid")
}

func TestForgedPressesAndUpdates(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	b.start(t)
	sent := b.send(t, "Pay", []telego.InlineKeyboardButton{button("Pay", "pay:1")})
	_, err := b.anna.Tap(b.ctx, person.Tap{MessageID: sent.MessageID, Data: "pay:2"})
	require.ErrorContains(t, err, "409 message")
	_, err = b.anna.Tap(b.ctx, person.Tap{MessageID: sent.MessageID, Data: "pay:2", Forged: true})
	require.NoError(t, err)
	_, err = b.boris.Tap(b.ctx, person.Tap{MessageID: sent.MessageID, Data: "pay:1", Forged: true, Owner: b.anna.ID})
	require.NoError(t, err)
	id, err := b.boris.Update(b.ctx, "message", map[string]any{
		"message_id": 1, "date": 1, "chat": map[string]any{"id": -100, "type": "supergroup", "title": "G"}, "text": "in a group",
	})
	require.NoError(t, err)
	updates := b.updates(t, 0)
	require.Equal(t, "pay:2", updates[0].CallbackQuery.Data)
	require.Equal(t, b.boris.ID, updates[1].CallbackQuery.From.ID)
	require.Equal(t, b.anna.ID, updates[1].CallbackQuery.Message.GetChat().ID)
	require.Equal(t, "supergroup", updates[2].Message.Chat.Type)
	require.EqualValues(t, id, updates[2].UpdateID)
	_, err = b.boris.Update(b.ctx, "evil", map[string]any{})
	require.ErrorContains(t, err, "unknown kind")
}

func TestEditedTextIsAnotherUpdate(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	sent, err := b.anna.Send(b.ctx, "/buy")
	require.NoError(t, err)
	require.NoError(t, b.anna.Edit(b.ctx, sent.MessageID, "/admin"))
	updates := b.updates(t, 0)
	require.Equal(t, "/buy", updates[0].Message.Text)
	require.Equal(t, "/admin", updates[1].EditedMessage.Text)
}

func TestHostileNamesAndTextsAreRenderedSafely(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	b.start(t)
	mallory := b.person(t, botapi.Person{FirstName: `<img src=x onerror=alert(1)>`, LastName: "\u202etxt"})
	require.GreaterOrEqual(t, mallory.ID, int64(100003))
	_, err := mallory.Send(b.ctx, `<script>alert("1")</script> https://evil.example/"onmouseover="x`)
	require.NoError(t, err)
	view, err := mallory.Chat(b.ctx)
	require.NoError(t, err)
	html := view.Messages[0].HTML
	require.NotContains(t, html, "<script")
	require.Contains(t, html, `<a href="https://evil.example/" target="_blank" rel="noopener noreferrer">`)

	_, err = b.bot.SendMessage(b.ctx, &telego.SendMessageParams{ChatID: telego.ChatID{ID: b.anna.ID}, ParseMode: "HTML",
		Text: `<a href="javascript:alert(1)">x</a> <a href='https://t.me/a?b=1&amp;c="2'>y</a> 😀<b>bold <i>both</i></b> <tg-spoiler>z</tg-spoiler>`})
	require.NoError(t, err)
	view, err = b.anna.Chat(b.ctx)
	require.NoError(t, err)
	html = view.Messages[len(view.Messages)-1].HTML
	require.NotContains(t, html, "javascript:")
	require.Contains(t, html, `😀<b>bold <i>both</i></b> <span class="spoiler">z</span>`)
	require.Equal(t, 1, strings.Count(html, "<a "))
}

func TestFaults(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	b.start(t)
	try := func() error {
		_, err := b.bot.SendMessage(b.ctx, &telego.SendMessageParams{ChatID: telego.ChatID{ID: b.anna.ID}, Text: "hello"})
		return err
	}
	messages := func() int {
		view, err := b.anna.Chat(b.ctx)
		require.NoError(t, err)
		return view.Total
	}
	add := func(f botapi.Fault) { require.NoError(t, b.people.AddFault(b.ctx, f)) }
	before := messages()

	add(botapi.Fault{Method: "sendMessage", Action: botapi.FaultError, RetryAfter: 7, Count: 2})
	for range 2 {
		failure := requireAPIError(t, try(), 429, "Too Many Requests: retry after 7")
		require.Equal(t, 7, failure.Parameters.RetryAfter)
	}
	add(botapi.Fault{Method: "*", Action: botapi.FaultError, Code: 502})
	require.ErrorContains(t, try(), "internal server error: 502")
	add(botapi.Fault{Method: "sendMessage", ChatID: b.anna.ID, Action: botapi.FaultError, Code: 403})
	requireAPIError(t, try(), 403, "Forbidden: bot was blocked by the user")
	require.Equal(t, before, messages(), "nothing was sent so far")

	add(botapi.Fault{Method: "sendMessage", Action: botapi.FaultDrop})
	require.ErrorContains(t, try(), "EOF")
	add(botapi.Fault{Method: "sendMessage", Action: botapi.FaultError, After: true})
	require.ErrorContains(t, try(), "500")
	require.Equal(t, before+2, messages(), "the work was done")

	add(botapi.Fault{Method: "sendMessage", Action: botapi.FaultDelay, DelayMS: 50})
	began := time.Now()
	require.NoError(t, try())
	require.GreaterOrEqual(t, time.Since(began), 50*time.Millisecond)

	add(botapi.Fault{Method: "update", Action: botapi.FaultDuplicate})
	_, err := b.anna.Send(b.ctx, "once")
	require.NoError(t, err)
	updates := b.updates(t, 0)
	require.Len(t, updates, 2)
	require.Equal(t, updates[0], updates[1])

	add(botapi.Fault{Method: "sendMessage", Action: botapi.FaultError})
	require.NoError(t, b.people.ClearFaults(b.ctx))
	require.NoError(t, try())
	require.ErrorContains(t, b.people.AddFault(b.ctx, botapi.Fault{Method: "nothing", Action: "drop"}), "unknown method")

	require.NoError(t, b.people.LimitMessages(b.ctx, 0.001)) // the next in a quarter of an hour
	require.NoError(t, try())
	requireAPIError(t, try(), 429, "Too Many Requests: retry after 1")
}

func TestPersonsAPIRefusesForeignPages(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	post := func(kind, site string) int {
		request, err := http.NewRequestWithContext(b.ctx, http.MethodPost, b.web.URL+"/api/people/100001/messages", strings.NewReader(`{"text":"x"}`))
		require.NoError(t, err)
		request.Header.Set("Content-Type", kind)
		request.Header.Set("Sec-Fetch-Site", site)
		response, err := b.web.Client().Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	require.Equal(t, http.StatusUnsupportedMediaType, post("text/plain", ""))
	require.Equal(t, http.StatusForbidden, post("application/json", "cross-site"))
	require.Equal(t, http.StatusOK, post("application/json", "same-origin"))
}

func TestEventsTellWhichChatChanged(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	request, err := http.NewRequestWithContext(b.ctx, http.MethodGet, b.web.URL+"/api/events", nil)
	require.NoError(t, err)
	response, err := b.web.Client().Do(request)
	require.NoError(t, err)
	_, err = b.anna.Send(b.ctx, "hello")
	require.NoError(t, err)
	var read strings.Builder
	buffer := make([]byte, 256)
	for !strings.Contains(read.String(), `"person":100001`) {
		n, err := response.Body.Read(buffer)
		require.NoError(t, err)
		read.Write(buffer[:n])
	}
	require.NoError(t, response.Body.Close())
	require.Contains(t, read.String(), "event: chat")
}
