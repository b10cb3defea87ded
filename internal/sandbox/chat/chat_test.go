package chat_test

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/chat"
)

func get(t *testing.T, handler http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return answer
}

func TestPageAndItsFilesAreServedUnderAStrictPolicy(t *testing.T) {
	t.Parallel()
	handler := chat.Handler(chat.Options{})
	index := get(t, handler, "/")
	require.Equal(t, http.StatusOK, index.Code)
	require.Contains(t, index.Header().Get("Content-Security-Policy"), "script-src 'self'")
	require.NotContains(t, index.Body.String(), "style=", "the policy refuses inline styles")

	references := regexp.MustCompile(`(?:src|href)="(/[^"]+)"`).FindAllStringSubmatch(index.Body.String(), -1)
	require.NotEmpty(t, references)
	for _, reference := range references {
		require.Equal(t, http.StatusOK, get(t, handler, reference[1]).Code, reference[1])
	}
	scripts, err := fs.Glob(os.DirFS("page"), "*.js")
	require.NoError(t, err)
	for _, script := range scripts {
		body := get(t, handler, "/"+script)
		require.Contains(t, body.Header().Get("Content-Type"), "javascript")
		for _, imported := range regexp.MustCompile(`from '\./([^']+)'`).FindAllStringSubmatch(body.Body.String(), -1) {
			require.Equal(t, http.StatusOK, get(t, handler, "/"+imported[1]).Code, imported[1])
		}
	}
	require.Equal(t, http.StatusNotFound, get(t, handler, "/chat.go").Code)
}

func TestSettingsNameThePeopleAndLinks(t *testing.T) {
	t.Parallel()
	handler := chat.Handler(chat.Options{People: []int64{1, 2}, Links: []chat.Link{{Name: "Crypto Pay", URL: "http://127.0.0.1:1/"}}})
	var settings struct {
		Title  string      `json:"title"`
		People []int64     `json:"people"`
		Links  []chat.Link `json:"links"`
	}
	require.NoError(t, json.Unmarshal(get(t, handler, "/page.json").Body.Bytes(), &settings))
	require.Equal(t, "Atlas Secure sandbox", settings.Title)
	require.Equal(t, []int64{1, 2}, settings.People)
	require.Equal(t, "Crypto Pay", settings.Links[0].Name)
}
