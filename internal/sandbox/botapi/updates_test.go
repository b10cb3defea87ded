package botapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mymmrac/telego"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
)

func TestUpdatesAreConfirmedOnlyByAHigherOffset(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	for _, text := range []string{"/start ref_abc", "two", "three"} {
		_, err := b.anna.Send(b.ctx, text)
		require.NoError(t, err)
	}
	first := b.updates(t, 0)
	require.Len(t, first, 3)
	require.Equal(t, "/start ref_abc", first[0].Message.Text)
	require.Equal(t, []telego.MessageEntity{{Type: "bot_command", Offset: 0, Length: 6}}, first[0].Message.Entities)
	require.Equal(t, "ru", first[0].Message.From.LanguageCode)
	require.Equal(t, first[0].UpdateID+1, first[1].UpdateID)

	require.Equal(t, first, b.updates(t, 0), "not confirmed: the same again")
	require.Equal(t, first[1:], b.updates(t, first[1].UpdateID))
	require.Equal(t, first[2:], b.updates(t, -1), "a negative offset counts from the end and forgets the rest")
	require.Empty(t, b.updates(t, first[2].UpdateID+1))
}

func TestLongPollEndsWhenAnUpdateArrives(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	got := make(chan []telego.Update, 1)
	go func() {
		updates, _ := b.bot.GetUpdates(b.ctx, &telego.GetUpdatesParams{Timeout: 25})
		got <- updates
	}()
	_, err := b.anna.Send(b.ctx, "hello")
	require.NoError(t, err)
	updates := <-got
	require.Len(t, updates, 1)
	require.Equal(t, "hello", updates[0].Message.Text)
}

func TestSecondGetUpdatesEndsTheFirstWithConflict(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	ended := b.polls(t)
	b.updates(t, 0)
	requireAPIError(t, <-ended, 409,
		"Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
}

func TestAllowedUpdatesAreRemembered(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	_, err := b.bot.GetUpdates(b.ctx, &telego.GetUpdatesParams{AllowedUpdates: []string{"my_chat_member"}})
	require.NoError(t, err)
	_, err = b.anna.Send(b.ctx, "unwanted")
	require.NoError(t, err)
	require.NoError(t, b.anna.Block(b.ctx))
	updates := b.updates(t, 0)
	require.Len(t, updates, 1)
	require.Equal(t, "kicked", updates[0].MyChatMember.NewChatMember.MemberStatus())
}

func TestStateSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := setup(t, botapi.Options{StateDir: dir})
	b.start(t)
	b.send(t, "<kept>")
	gone := b.send(t, "deleted")
	require.NoError(t, b.bot.DeleteMessage(b.ctx, &telego.DeleteMessageParams{ChatID: telego.ChatID{ID: b.anna.ID}, MessageID: gone.MessageID}))
	_, err := b.bot.SendPhoto(b.ctx, &telego.SendPhotoParams{
		ChatID: telego.ChatID{ID: b.anna.ID}, Photo: telego.InputFile{File: newPicture(t, 20, 20)}, Caption: "QR",
	})
	require.NoError(t, err)
	require.NoError(t, b.bot.SetMyCommands(b.ctx, &telego.SetMyCommandsParams{Commands: []telego.BotCommand{{Command: "start", Description: "Begin"}}}))
	require.NoError(t, b.boris.Block(b.ctx))
	_, err = b.anna.Send(b.ctx, "not read yet")
	require.NoError(t, err)
	pending := b.updates(t, 0)
	require.Len(t, pending, 2)
	last := b.send(t, "the last one, deleted")
	require.NoError(t, b.bot.DeleteMessage(b.ctx, &telego.DeleteMessageParams{ChatID: telego.ChatID{ID: b.anna.ID}, MessageID: last.MessageID}))
	before, err := b.anna.Chat(b.ctx)
	require.NoError(t, err)
	// The first server is not closed: this is what kill -9 leaves.

	again := setup(t, botapi.Options{StateDir: dir})
	require.Equal(t, pending, again.updates(t, 0))
	after, err := again.anna.Chat(again.ctx)
	require.NoError(t, err)
	require.Equal(t, before.Messages, after.Messages)
	require.Equal(t, before.Commands, after.Commands)
	photo, err := again.anna.File(again.ctx, after.Messages[len(after.Messages)-2].Photo[0].FileID)
	require.NoError(t, err)
	require.Equal(t, "image/png", http.DetectContentType(photo))
	require.Equal(t, last.MessageID+1, again.send(t, "next").MessageID, "numbers are not given out again")
	_, err = again.bot.SendMessage(again.ctx, &telego.SendMessageParams{ChatID: telego.ChatID{ID: again.boris.ID}, Text: "x"})
	requireAPIError(t, err, 403, "Forbidden: bot was blocked by the user")
	again.updates(t, pending[1].UpdateID+1)
	_, err = again.anna.Send(again.ctx, "new")
	require.NoError(t, err)
	require.Equal(t, pending[1].UpdateID+1, again.updates(t, 0)[0].UpdateID)
}

// receiver is a bot's webhook that fails as often as it is told.
type receiver struct {
	mu     sync.Mutex
	fail   int
	secret []string
	texts  []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	raw, _ := io.ReadAll(request.Body)
	var update telego.Update
	_ = json.Unmarshal(raw, &update)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secret = append(r.secret, request.Header.Get("X-Telegram-Bot-Api-Secret-Token"))
	if r.fail > 0 {
		r.fail--
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	r.texts = append(r.texts, update.Message.Text)
}

func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.texts...)
}

func TestWebhookGetsUpdatesInOrderAndAgainAfterFailures(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{WebhookRetry: 5 * time.Millisecond})
	hook := &receiver{fail: 2}
	web := httptest.NewServer(hook)
	t.Cleanup(web.Close)
	_, err := b.anna.Send(b.ctx, "one") // before the webhook is there
	require.NoError(t, err)

	require.NoError(t, b.bot.SetWebhook(b.ctx, &telego.SetWebhookParams{URL: web.URL, SecretToken: "s3cret"}))
	for _, text := range []string{"two", "three"} {
		_, err := b.anna.Send(b.ctx, text)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return len(hook.got()) == 3 }, time.Minute, 5*time.Millisecond)
	require.Equal(t, []string{"one", "two", "three"}, hook.got())
	hook.mu.Lock()
	require.Equal(t, []string{"s3cret", "s3cret", "s3cret", "s3cret", "s3cret"}, hook.secret)
	hook.mu.Unlock()
	require.Eventually(t, func() bool {
		info, err := b.bot.GetWebhookInfo(b.ctx)
		return err == nil && info.PendingUpdateCount == 0 && strings.Contains(info.LastErrorMessage, "502")
	}, time.Minute, 5*time.Millisecond)

	_, err = b.bot.GetUpdates(b.ctx, &telego.GetUpdatesParams{})
	requireAPIError(t, err, 409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
	require.NoError(t, b.bot.DeleteWebhook(b.ctx, &telego.DeleteWebhookParams{}))
	require.Empty(t, b.updates(t, 0))
}

func TestSetWebhookEndsAWaitingPollAndChecksItsAddress(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	ended := b.polls(t)
	require.NoError(t, b.bot.SetWebhook(b.ctx, &telego.SetWebhookParams{URL: "https://127.0.0.1:1/hook"}))
	require.ErrorContains(t, <-ended, "Conflict: ")
	require.NoError(t, b.bot.DeleteWebhook(b.ctx, &telego.DeleteWebhookParams{}))

	err := b.bot.SetWebhook(b.ctx, &telego.SetWebhookParams{URL: "http://bot.example.org/hook"})
	requireAPIError(t, err, 400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
	err = b.bot.SetWebhook(b.ctx, &telego.SetWebhookParams{URL: "http://127.0.0.1:1/", SecretToken: "with space"})
	requireAPIError(t, err, 400, "Bad Request: secret token contains unallowed characters")
}

func TestEveryWellFormedTokenIsABot(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	other := b.client(t, "4242:"+strings.Repeat("B", 35))
	me, err := other.GetMe(b.ctx)
	require.NoError(t, err)
	require.EqualValues(t, 4242, me.ID)
	require.Equal(t, "sandbox4242_bot", me.Username)
	me, err = b.bot.GetMe(b.ctx)
	require.NoError(t, err)
	require.Equal(t, "atlas_bot", me.Username)

	for path, want := range map[string]int{
		"/bot12:short/getMe":                   401,
		"/bot" + token + "/getNothing":         404,
		"/bot" + token + "/GETME?x=1":          200,
		"/file/bot" + token + "/photos/no.png": 404,
	} {
		request, err := http.NewRequestWithContext(b.ctx, http.MethodGet, b.web.URL+path, nil)
		require.NoError(t, err)
		response, err := b.web.Client().Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, want, response.StatusCode, path)
	}
}

func TestCloseEndsAWaitingPoll(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	ended := b.polls(t)
	require.NoError(t, b.server.Close())
	require.Error(t, <-ended)
}
