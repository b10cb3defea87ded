package botapi_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mymmrac/telego"
	"github.com/mymmrac/telego/telegoapi"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

var token = "700100:" + strings.Repeat("a", 35)

// bundle is a server with one bot and two people, Anna and Boris.
type bundle struct {
	ctx    context.Context
	server *botapi.Server
	web    *httptest.Server
	bot    *telego.Bot
	people *person.Client
	anna   *person.Person
	boris  *person.Person
}

func setup(t *testing.T, opts botapi.Options) *bundle {
	t.Helper()
	// Not the test's own context: that one ends before the cleanups, in the middle of a bot's last answer.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	if opts.Bots == nil {
		opts.Bots = []botapi.Bot{{Token: token, Username: "atlas_bot", FirstName: "Atlas"}}
	}
	server, err := botapi.New(opts)
	require.NoError(t, err)
	web := httptest.NewServer(server)
	b := &bundle{ctx: ctx, server: server, web: web, people: person.NewClient(web.URL, "")}
	b.bot = b.client(t, token)
	t.Cleanup(b.stop)
	b.anna = b.person(t, botapi.Person{ID: 100001, FirstName: "Anna", Username: "anna", LanguageCode: "ru"})
	b.boris = b.person(t, botapi.Person{ID: 100002, FirstName: "Boris", IsAdmin: true})
	return b
}

func (b *bundle) stop() {
	_ = b.server.Close()
	http.DefaultClient.CloseIdleConnections()
	b.web.CloseClientConnections()
	b.web.Close()
}

func (b *bundle) client(t *testing.T, token string) *telego.Bot {
	t.Helper()
	bot, err := telego.NewBot(token, telego.WithAPIServer(b.web.URL), telego.WithHTTPClient(b.web.Client()), telego.WithDiscardLogger())
	require.NoError(t, err)
	return bot
}

func (b *bundle) person(t *testing.T, who botapi.Person) *person.Person {
	t.Helper()
	made, err := b.people.Ensure(b.ctx, who)
	require.NoError(t, err)
	return made
}

// start lets both people write to the bot, and confirms these updates.
func (b *bundle) start(t *testing.T) {
	t.Helper()
	for _, who := range []*person.Person{b.anna, b.boris} {
		_, err := who.Send(b.ctx, "/start")
		require.NoError(t, err)
	}
	updates := b.updates(t, 0)
	require.Len(t, updates, 2)
	b.updates(t, updates[1].UpdateID+1)
}

func (b *bundle) updates(t *testing.T, offset int) []telego.Update {
	t.Helper()
	updates, err := b.bot.GetUpdates(b.ctx, &telego.GetUpdatesParams{Offset: offset})
	require.NoError(t, err)
	return updates
}

// polls starts a getUpdates that waits; the channel gets its end.
func (b *bundle) polls(t *testing.T) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		_, err := b.bot.GetUpdates(b.ctx, &telego.GetUpdatesParams{Timeout: 50})
		ended <- err
	}()
	require.Eventually(t, func() bool { return b.server.IsPolled(token) }, time.Minute, time.Millisecond)
	return ended
}

func (b *bundle) send(t *testing.T, text string, rows ...[]telego.InlineKeyboardButton) *telego.Message {
	t.Helper()
	params := &telego.SendMessageParams{ChatID: telego.ChatID{ID: b.anna.ID}, Text: text}
	if rows != nil {
		params.ReplyMarkup = &telego.InlineKeyboardMarkup{InlineKeyboard: rows}
	}
	sent, err := b.bot.SendMessage(b.ctx, params)
	require.NoError(t, err)
	return sent
}

func requireAPIError(t *testing.T, err error, code int, description string) telegoapi.Error {
	t.Helper()
	var failure *telegoapi.Error
	require.ErrorAs(t, err, &failure)
	require.Equal(t, description, failure.Description)
	require.Equal(t, code, failure.ErrorCode)
	return *failure
}

// picture is an upload of a small PNG.
type picture struct{ *bytes.Reader }

func (picture) Name() string { return "qr.png" }

func newPicture(t *testing.T, width, height int) picture {
	t.Helper()
	drawn := image.NewRGBA(image.Rect(0, 0, width, height))
	drawn.Set(1, 1, color.White)
	var encoded bytes.Buffer
	require.NoError(t, png.Encode(&encoded, drawn))
	return picture{bytes.NewReader(encoded.Bytes())}
}
