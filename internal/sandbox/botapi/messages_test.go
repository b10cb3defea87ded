package botapi_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mymmrac/telego"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
)

func button(text, data string) telego.InlineKeyboardButton {
	return telego.InlineKeyboardButton{Text: text, CallbackData: data}
}

func TestMessagesAreEditedInPlace(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	b.start(t)
	sent := b.send(t, "Menu", []telego.InlineKeyboardButton{button("Buy", "buy")})
	chat := telego.ChatID{ID: b.anna.ID}

	params := &telego.EditMessageTextParams{ChatID: chat, MessageID: sent.MessageID, Text: "<b>Menu &amp; more</b>", ParseMode: "HTML"}
	edited, err := b.bot.EditMessageText(b.ctx, params)
	require.NoError(t, err)
	require.Equal(t, "Menu & more", edited.Text)
	require.Nil(t, edited.ReplyMarkup, "an edit without a keyboard removes it")
	require.NotZero(t, edited.EditDate)
	_, err = b.bot.EditMessageText(b.ctx, params)
	requireAPIError(t, err, 400, "Bad Request: message is not modified: specified new message content and reply markup are "+
		"exactly the same as a current content and reply markup of the message")

	keyboard := &telego.InlineKeyboardMarkup{InlineKeyboard: [][]telego.InlineKeyboardButton{{button("Back", "back")}}}
	_, err = b.bot.EditMessageReplyMarkup(b.ctx, &telego.EditMessageReplyMarkupParams{ChatID: chat, MessageID: sent.MessageID, ReplyMarkup: keyboard})
	require.NoError(t, err)
	view, err := b.anna.Chat(b.ctx)
	require.NoError(t, err)
	last := view.Messages[len(view.Messages)-1]
	require.Equal(t, "<b>Menu &amp; more</b>", last.HTML)
	require.True(t, last.IsEdited && last.IsOutgoing)
	require.Equal(t, "back", last.ReplyMarkup.Rows[0][0].CallbackData)

	// A text message becomes one with a photo, which then has a caption.
	_, err = b.bot.EditMessageMedia(b.ctx, &telego.EditMessageMediaParams{
		ChatID: chat, MessageID: sent.MessageID,
		Media: &telego.InputMediaPhoto{Type: "photo", Media: telego.InputFile{File: newPicture(t, 30, 20)}, Caption: "QR"},
	})
	require.NoError(t, err)
	_, err = b.bot.EditMessageCaption(b.ctx, &telego.EditMessageCaptionParams{ChatID: chat, MessageID: sent.MessageID, Caption: "Code"})
	require.NoError(t, err)
	_, err = b.bot.EditMessageText(b.ctx, params)
	requireAPIError(t, err, 400, "Bad Request: there is no text in the message to edit")
	require.NoError(t, b.bot.DeleteMessage(b.ctx, &telego.DeleteMessageParams{ChatID: chat, MessageID: sent.MessageID}))
	_, err = b.bot.EditMessageText(b.ctx, params)
	requireAPIError(t, err, 400, "Bad Request: message to edit not found")
	err = b.bot.DeleteMessage(b.ctx, &telego.DeleteMessageParams{ChatID: chat, MessageID: sent.MessageID})
	requireAPIError(t, err, 400, "Bad Request: message to delete not found")
}

func TestSendMessageIsStrict(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	b.start(t)
	url := func(link string) telego.InlineKeyboardButton {
		return telego.InlineKeyboardButton{Text: "x", URL: link}
	}
	many := make([]telego.InlineKeyboardButton, 101)
	for i := range many {
		many[i] = button("x", "y")
	}
	cases := map[string]struct {
		params telego.SendMessageParams
		row    []telego.InlineKeyboardButton
		want   string
	}{
		"empty":             {want: "message text is empty"},
		"white space":       {params: telego.SendMessageParams{Text: " \n"}, want: "text must be non-empty"},
		"unknown chat":      {params: telego.SendMessageParams{ChatID: telego.ChatID{ID: 5}, Text: "x"}, want: "chat not found"},
		"no chat":           {params: telego.SendMessageParams{ChatID: telego.ChatID{Username: "@x"}, Text: "x"}, want: "chat not found"},
		"too long":          {params: telego.SendMessageParams{Text: strings.Repeat("ж", 4097)}, want: "message is too long"},
		"unclosed tag":      {params: telego.SendMessageParams{Text: "<b>x", ParseMode: "HTML"}, want: `can't parse entities: Can't find end tag corresponding to start tag "b"`},
		"unknown tag":       {params: telego.SendMessageParams{Text: "a <h1>x</h1>", ParseMode: "HTML"}, want: `can't parse entities: Unsupported start tag "h1" at byte offset 2`},
		"crossed tags":      {params: telego.SendMessageParams{Text: "<b><i>x</b></i>", ParseMode: "HTML"}, want: `can't parse entities: Unmatched end tag at byte offset 7, expected "</i>", found "</b>"`},
		"stray end tag":     {params: telego.SendMessageParams{Text: "x</b>", ParseMode: "HTML"}, want: "can't parse entities: Unexpected end tag at byte offset 1"},
		"unclosed start":    {params: telego.SendMessageParams{Text: "5 < 6", ParseMode: "HTML"}, want: `can't parse entities: Unsupported start tag "" at byte offset 2`},
		"unknown mode":      {params: telego.SendMessageParams{Text: "x", ParseMode: "XML"}, want: "unsupported parse_mode"},
		"reply to nothing":  {params: telego.SendMessageParams{Text: "x", ReplyParameters: &telego.ReplyParameters{MessageID: 999}}, want: "message to be replied not found"},
		"long data":         {row: []telego.InlineKeyboardButton{button("x", strings.Repeat("d", 65))}, want: "BUTTON_DATA_INVALID"},
		"no button text":    {row: []telego.InlineKeyboardButton{button("", "x")}, want: "inline keyboard button text must be non-empty"},
		"button of no kind": {row: []telego.InlineKeyboardButton{{Text: "x"}}, want: "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"},
		"bad link":          {row: []telego.InlineKeyboardButton{url("localhost:80")}, want: "inline keyboard button URL 'localhost:80' is invalid: Wrong HTTP URL"},
		"pay in a text":     {row: []telego.InlineKeyboardButton{{Text: "x", Pay: true}}, want: "BUTTON_TYPE_INVALID"},
		"too many buttons":  {row: many, want: "reply markup is too long"},
	}
	for name, c := range cases {
		if c.params.ChatID == (telego.ChatID{}) {
			c.params.ChatID.ID = b.anna.ID
		}
		if c.row != nil {
			c.params.Text = "x"
			c.params.ReplyMarkup = &telego.InlineKeyboardMarkup{InlineKeyboard: [][]telego.InlineKeyboardButton{c.row}}
		}
		_, err := b.bot.SendMessage(b.ctx, &c.params)
		require.Error(t, err, name)
		requireAPIError(t, err, 400, "Bad Request: "+c.want)
	}
	longest := b.send(t, strings.Repeat("ж", 4096), []telego.InlineKeyboardButton{button("x", strings.Repeat("d", 64)), url("vk.com/x")})
	require.Equal(t, "http://vk.com/x", longest.ReplyMarkup.InlineKeyboard[0][1].URL)
	require.NoError(t, b.anna.Block(b.ctx))
	_, err := b.bot.SendMessage(b.ctx, &telego.SendMessageParams{ChatID: telego.ChatID{ID: b.anna.ID}, Text: "x"})
	requireAPIError(t, err, 403, "Forbidden: bot was blocked by the user")
	_, err = b.anna.Send(b.ctx, "/start") // unblocks
	require.NoError(t, err)
	b.send(t, "welcome back")
}

func TestPhotosAndFiles(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{StateDir: t.TempDir()})
	b.start(t)
	chat := telego.ChatID{ID: b.anna.ID}
	drawn := newPicture(t, 40, 30)
	content, err := io.ReadAll(drawn)
	require.NoError(t, err)
	_, err = drawn.Seek(0, io.SeekStart)
	require.NoError(t, err)
	sent, err := b.bot.SendPhoto(b.ctx, &telego.SendPhotoParams{
		ChatID: chat, Photo: telego.InputFile{File: drawn}, Caption: "<code>vless://k</code>", ParseMode: "HTML",
		ReplyMarkup: &telego.InlineKeyboardMarkup{InlineKeyboard: [][]telego.InlineKeyboardButton{{button("Back", "back")}}},
	})
	require.NoError(t, err)
	require.Equal(t, 40, sent.Photo[0].Width)
	require.Equal(t, []telego.MessageEntity{{Type: "code", Offset: 0, Length: 9}}, sent.CaptionEntities)
	require.Equal(t, "back", sent.ReplyMarkup.InlineKeyboard[0][0].CallbackData)

	file, err := b.bot.GetFile(b.ctx, &telego.GetFileParams{FileID: sent.Photo[0].FileID})
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(b.ctx, http.MethodGet, b.bot.FileDownloadURL(file.FilePath), nil)
	require.NoError(t, err)
	response, err := b.web.Client().Do(request)
	require.NoError(t, err)
	downloaded, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, content, downloaded)

	again, err := b.bot.SendPhoto(b.ctx, &telego.SendPhotoParams{ChatID: chat, Photo: telego.InputFile{FileID: sent.Photo[0].FileID}})
	require.NoError(t, err)
	require.Equal(t, sent.Photo, again.Photo)
	document, err := b.bot.SendDocument(b.ctx, &telego.SendDocumentParams{ChatID: chat, Document: telego.InputFile{File: named{bytes.NewReader([]byte("a;b"))}}})
	require.NoError(t, err)
	require.Equal(t, "list.csv", document.Document.FileName)
	copied, err := b.bot.CopyMessage(b.ctx, &telego.CopyMessageParams{ChatID: chat, FromChatID: chat, MessageID: sent.MessageID})
	require.NoError(t, err)
	require.Equal(t, document.MessageID+1, copied.MessageID)

	refusals := map[string]telego.SendPhotoParams{
		"IMAGE_PROCESS_FAILED":           {Photo: telego.InputFile{File: named{bytes.NewReader([]byte("no picture"))}}},
		"PHOTO_INVALID_DIMENSIONS":       {Photo: telego.InputFile{File: newPicture(t, 63, 3)}},
		"file must be non-empty":         {Photo: telego.InputFile{File: named{bytes.NewReader(nil)}}},
		"failed to get HTTP URL content": {Photo: telego.InputFile{URL: "https://example.org/x.png"}},
		"wrong remote file identifier specified: can't unserialize it. Wrong last symbol": {Photo: telego.InputFile{FileID: "x"}},
		"message caption is too long": {Photo: telego.InputFile{File: newPicture(t, 9, 9)}, Caption: strings.Repeat("x", 1025)},
	}
	for want, params := range refusals {
		params.ChatID = chat
		_, err := b.bot.SendPhoto(b.ctx, &params)
		require.Error(t, err, want)
		requireAPIError(t, err, 400, "Bad Request: "+want)
	}
}

type named struct{ *bytes.Reader }

func (named) Name() string { return "list.csv" }

func TestFormsAndQueryStringsAreTakenToo(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	b.start(t)
	form := url.Values{"chat_id": {"100001"}, "text": {"by form"}}
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	require.NoError(t, writer.WriteField("chat_id", "100001"))
	require.NoError(t, writer.WriteField("text", "by multipart"))
	require.NoError(t, writer.Close())
	for _, try := range []struct {
		path, kind string
		body       io.Reader
	}{
		{"/sendMessage", "application/x-www-form-urlencoded", strings.NewReader(form.Encode())},
		{"/sendmessage?chat_id=100001&text=by+query", "", nil},
		{"/sendMessage", writer.FormDataContentType(), &body},
		{"/sendMessage", "application/json", strings.NewReader(`{"chat_id":"100001","text":"by JSON","reply_markup":null}`)},
	} {
		request, err := http.NewRequestWithContext(b.ctx, http.MethodPost, b.web.URL+"/bot"+token+try.path, try.body)
		require.NoError(t, err)
		request.Header.Set("Content-Type", try.kind)
		response, err := b.web.Client().Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, 200, response.StatusCode)
	}
	view, err := b.anna.Chat(b.ctx)
	require.NoError(t, err)
	var texts []string
	for _, m := range view.Messages[1:] {
		texts = append(texts, m.Text)
	}
	require.Equal(t, []string{"by form", "by query", "by multipart", "by JSON"}, texts)
}

func TestCommandsFollowScopeAndLanguage(t *testing.T) {
	t.Parallel()
	b := setup(t, botapi.Options{})
	b.start(t)
	set := func(params telego.SetMyCommandsParams) { require.NoError(t, b.bot.SetMyCommands(b.ctx, &params)) }
	set(telego.SetMyCommandsParams{Commands: []telego.BotCommand{{Command: "start", Description: "Begin"}}})
	set(telego.SetMyCommandsParams{Commands: []telego.BotCommand{{Command: "start", Description: "Начать"}}, LanguageCode: "ru"})
	set(telego.SetMyCommandsParams{
		Commands: []telego.BotCommand{{Command: "admin", Description: "Panel"}},
		Scope:    &telego.BotCommandScopeChat{Type: "chat", ChatID: telego.ChatID{ID: b.boris.ID}},
	})
	anna, err := b.anna.Chat(b.ctx)
	require.NoError(t, err)
	require.Equal(t, []botapi.Command{{Command: "start", Description: "Начать"}}, anna.Commands)
	boris, err := b.boris.Chat(b.ctx)
	require.NoError(t, err)
	require.Equal(t, "admin", boris.Commands[0].Command)
	require.NoError(t, b.bot.DeleteMyCommands(b.ctx, &telego.DeleteMyCommandsParams{LanguageCode: "ru"}))
	anna, err = b.anna.Chat(b.ctx)
	require.NoError(t, err)
	require.Equal(t, "Begin", anna.Commands[0].Description)
	listed, err := b.bot.GetMyCommands(b.ctx, &telego.GetMyCommandsParams{})
	require.NoError(t, err)
	require.Len(t, listed, 1)
	err = b.bot.SetMyCommands(b.ctx, &telego.SetMyCommandsParams{Commands: []telego.BotCommand{{Command: "Bad!", Description: "x"}}})
	requireAPIError(t, err, 400, "Bad Request: BOT_COMMAND_INVALID")
}
