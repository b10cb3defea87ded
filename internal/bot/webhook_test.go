package bot_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/bot"
	"atlas-secure/internal/config"
	"atlas-secure/internal/limit"
	"atlas-secure/tests/harness"
)

// endless is a body that says how much of it was read.
type endless struct{ left, read int }

func (e *endless) Read(p []byte) (int, error) {
	n := min(len(p), e.left)
	if n == 0 {
		return 0, http.ErrBodyReadAfterClose
	}
	e.left, e.read = e.left-n, e.read+n
	for i := range n {
		p[i] = ' '
	}
	return n, nil
}

// TestT10WebhookWithoutItsSecret posts to the handler of Telegram's webhook: whoever does not know the secret gets 401 and
// is not even read, and ten megabytes are refused to whoever does. No row is written.
func TestT10WebhookWithoutItsSecret(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const secret = "s3cret_-of-the-webhook"
	parts := b.parts(t, b.openDB(t, harness.BotLogin))
	parts.Limiter = limit.New(nil, "")
	made, err := bot.New(parts)
	require.NoError(t, err)
	before := b.rows(t)
	post := func(of config.Secret, header []string, size int) (status, read int) {
		body := &endless{left: size}
		request := httptest.NewRequestWithContext(b.ctx, http.MethodPost, "/telegram", body)
		for _, value := range header {
			request.Header.Add("X-Telegram-Bot-Api-Secret-Token", value)
		}
		recorder := httptest.NewRecorder()
		made.WebhookHandler(of).ServeHTTP(recorder, request)
		require.Empty(t, recorder.Body.String(), "nothing is told to whoever asks")
		return recorder.Code, body.read
	}
	for name, header := range map[string][]string{
		"none": nil, "empty": {""}, "wrong": {"wrong"}, "a beginning": {secret[:len(secret)-1]}, "longer": {secret + "x"},
		"other case": {strings.ToUpper(secret)}, "very long": {strings.Repeat(secret, 100)}, "second": {"wrong", secret},
	} {
		status, read := post(config.NewSecret(secret), header, 10<<20)
		require.Equal(t, http.StatusUnauthorized, status, name)
		require.Zero(t, read, "%s: read before it was known who posts", name)
	}
	status, _ := post(config.NewSecret(""), []string{""}, 10)
	require.Equal(t, http.StatusUnauthorized, status, "no secret of ours lets nobody in")

	status, read := post(config.NewSecret(secret), []string{secret}, 10<<20)
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
	require.LessOrEqual(t, read, 2<<20)
	require.Equal(t, before, b.rows(t))

	ask := func(method string) int {
		request := httptest.NewRequestWithContext(b.ctx, method, "/telegram", strings.NewReader(`{"update_id":77}`))
		request.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
		recorder := httptest.NewRecorder()
		made.WebhookHandler(config.NewSecret(secret)).ServeHTTP(recorder, request)
		return recorder.Code
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		require.Equal(t, http.StatusMethodNotAllowed, ask(method))
		require.Equal(t, before, b.rows(t))
	}
	require.Equal(t, http.StatusOK, ask(http.MethodPost))
	require.NotEqual(t, before, b.rows(t), "the right secret is let in")
}
