package botapi_test

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"strings"
	"testing"

	"github.com/mymmrac/telego"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
)

// export is an upload under a name that people read.
type export struct{ *bytes.Reader }

func (export) Name() string { return "Пользователи, ноябрь.csv" }

func TestDocumentReachesThePersonUnderItsName(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	b := setup(t, botapi.Options{StateDir: folder})
	b.start(t)
	chat := telego.ChatID{ID: b.anna.ID}
	content := []byte("\ufefftelegram_id;name\n1001;Анна\n")

	sent, err := b.bot.SendDocument(b.ctx, &telego.SendDocumentParams{
		ChatID: chat, Document: telego.InputFile{File: export{bytes.NewReader(content)}},
		Caption: "<b>Users</b>", ParseMode: "HTML",
		ReplyMarkup: &telego.InlineKeyboardMarkup{InlineKeyboard: [][]telego.InlineKeyboardButton{{button("Back", "back")}}},
	})
	require.NoError(t, err)
	require.Equal(t, export{}.Name(), sent.Document.FileName)
	require.Equal(t, "text/csv", sent.Document.MimeType)
	require.EqualValues(t, len(content), sent.Document.FileSize)
	require.Equal(t, "back", sent.ReplyMarkup.InlineKeyboard[0][0].CallbackData)

	view, err := b.anna.Chat(b.ctx)
	require.NoError(t, err)
	shown := view.Messages[len(view.Messages)-1]
	require.Equal(t, "<b>Users</b>", shown.HTML)
	require.Equal(t, sent.Document.FileID, shown.Document.FileID)
	saved, err := b.anna.File(b.ctx, shown.Document.FileID)
	require.NoError(t, err)
	require.Equal(t, content, saved)

	request, err := http.NewRequestWithContext(b.ctx, http.MethodGet, b.web.URL+"/api/files/"+shown.Document.FileID, nil)
	require.NoError(t, err)
	response, err := b.web.Client().Do(request)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	kind, named, err := mime.ParseMediaType(response.Header.Get("Content-Disposition"))
	require.NoError(t, err)
	require.Equal(t, "attachment", kind)
	require.Equal(t, export{}.Name(), named["filename"])
	require.Equal(t, "application/octet-stream", response.Header.Get("Content-Type"), "nothing that a browser runs")
	require.Contains(t, response.Header.Get("Content-Security-Policy"), "sandbox")

	again, err := b.bot.SendDocument(b.ctx, &telego.SendDocumentParams{
		ChatID: chat, Document: telego.InputFile{FileID: sent.Document.FileID},
	})
	require.NoError(t, err)
	require.Equal(t, sent.Document, again.Document)
}

func TestDocumentIsRefusedAsTelegramDoes(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	b.start(t)
	chat := telego.ChatID{ID: b.anna.ID}
	for want, params := range map[string]telego.SendDocumentParams{
		"Bad Request: file must be non-empty":                                                          {Document: telego.InputFile{File: export{bytes.NewReader(nil)}}},
		"Bad Request: failed to get HTTP URL content":                                                  {Document: telego.InputFile{URL: "https://example.org/a.csv"}},
		"Bad Request: message caption is too long":                                                     {Document: telego.InputFile{File: export{bytes.NewReader([]byte("a"))}}, Caption: strings.Repeat("x", 1025)},
		"Bad Request: wrong remote file identifier specified: can't unserialize it. Wrong last symbol": {Document: telego.InputFile{FileID: "x"}},
	} {
		params.ChatID = chat
		_, err := b.bot.SendDocument(b.ctx, &params)
		require.Error(t, err, want)
		requireAPIError(t, err, 400, want)
	}
	require.NoError(t, b.anna.Block(b.ctx))
	_, err := b.bot.SendDocument(b.ctx, &telego.SendDocumentParams{
		ChatID: chat, Document: telego.InputFile{File: export{bytes.NewReader([]byte("a"))}},
	})
	requireAPIError(t, err, 403, "Forbidden: bot was blocked by the user")
}

func TestManualNamesEveryMethod(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	response, err := b.web.Client().Get(b.web.URL + "/api/")
	require.NoError(t, err)
	manual, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	names := strings.ToLower(string(manual))
	for _, method := range append(botapi.MethodNames(), "getupdates") {
		require.Contains(t, names, method)
	}
}
