package panel_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/panel"
	"atlas-secure/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// fake is a machine that notes what it is told.
type fake struct {
	ordered  string
	advanced time.Duration
	limit    int
	err      error
}

func (f *fake) Services() []panel.Service {
	return []panel.Service{{Name: "bot", State: panel.Up, Actions: []panel.Action{panel.Stop}}}
}

func (f *fake) Order(_ context.Context, name string, action panel.Action) error {
	f.ordered = name + " " + string(action)
	return f.err
}

func (f *fake) Clock() panel.Clock { return panel.Clock{AheadSeconds: 7} }

func (f *fake) Advance(_ context.Context, by time.Duration) (panel.Move, error) {
	f.advanced = by
	return panel.Move{Stops: 3}, f.err
}

func (f *fake) Books(context.Context) (panel.Books, error) {
	return panel.Books{IsBalanced: true, Rows: []panel.Disagreement{}}, f.err
}

func (f *fake) Ledger(_ context.Context, limit int) ([]panel.Transfer, error) {
	f.limit = limit
	return []panel.Transfer{}, f.err
}

func (f *fake) Work(context.Context) (panel.Work, error) { return panel.Work{}, f.err }

type answer struct {
	code int
	body string
}

func ask(t *testing.T, m panel.Machine, method, path, body string, change func(*http.Request)) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:8780"+path, strings.NewReader(body))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	panel.Guard(panel.Handler(m)).ServeHTTP(w, r)
	said, err := io.ReadAll(w.Result().Body)
	require.NoError(t, err)
	return answer{w.Code, string(said)}
}

func TestPanelReadsAndOrders(t *testing.T) {
	t.Parallel()
	f := &fake{}
	for path, want := range map[string]string{
		"/panel/services": `"actions":["stop"]`, "/panel/clock": `"ahead_seconds":7`, "/panel/books": `"is_balanced":true,"rows":[]`,
		"/panel/ledger": `[]`, "/panel/work": `"dead_letters"`, "/panel/": "POST /panel/clock",
	} {
		got := ask(t, f, http.MethodGet, path, "", nil)
		require.Equal(t, http.StatusOK, got.code, path)
		require.Contains(t, got.body, want)
	}
	require.Equal(t, 50, f.limit)
	require.Equal(t, http.StatusOK, ask(t, f, http.MethodGet, "/panel/ledger?limit=3", "", nil).code)
	require.Equal(t, 3, f.limit)

	got := ask(t, f, http.MethodPost, "/panel/services/vpnnode", `{"action": "kill"}`, nil)
	require.Equal(t, http.StatusOK, got.code)
	require.Equal(t, "vpnnode kill", f.ordered)
	require.Contains(t, got.body, `"name":"bot"`)
	got = ask(t, f, http.MethodPost, "/panel/clock", `{"advance_seconds": 345600}`, nil)
	require.Equal(t, http.StatusOK, got.code)
	require.Equal(t, 4*24*time.Hour, f.advanced)
	require.Contains(t, got.body, `"stops":3`)
}

func TestPanelRefusesBadInput(t *testing.T) {
	t.Parallel()
	f := &fake{}
	for _, body := range []string{
		``, `{}`, `{"advance_seconds": 0}`, `{"advance_seconds": -1}`, `{"advance_seconds": 34560001}`, `{"advance_seconds": "1"}`,
		`{"advance_seconds": 1, "x": 2}`, `{"advance_seconds": ` + strings.Repeat("1", 5000) + `}`,
	} {
		require.Equal(t, http.StatusBadRequest, ask(t, f, http.MethodPost, "/panel/clock", body, nil).code, body)
	}
	for _, limit := range []string{"0", "-1", "501", "x"} {
		require.Equal(t, http.StatusBadRequest, ask(t, f, http.MethodGet, "/panel/ledger?limit="+limit, "", nil).code, limit)
	}
	require.Equal(t, http.StatusNotFound, ask(t, f, http.MethodGet, "/panel/nothing", "", nil).code)
	require.Equal(t, http.StatusMethodNotAllowed, ask(t, f, http.MethodPost, "/panel/books", "{}", nil).code)
	require.Zero(t, f.advanced)
	require.Empty(t, f.ordered)
}

func TestPanelIsForThisMachineAndItsOwnPage(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*http.Request)
		code   int
	}{
		"a program":             {func(*http.Request) {}, 200},
		"localhost":             {func(r *http.Request) { r.Host = "localhost:8780" }, 200},
		"IPv6":                  {func(r *http.Request) { r.Host = "[::1]:8780" }, 200},
		"its own page":          {func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:8780") }, 200},
		"the browser says so":   {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }, 200},
		"a rebound name":        {func(r *http.Request) { r.Host = "evil.example:8780" }, 403},
		"an address elsewhere":  {func(r *http.Request) { r.Host = "192.0.2.1:8780" }, 403},
		"no name":               {func(r *http.Request) { r.Host = "" }, 403},
		"another site":          {func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403},
		"another port":          {func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:1") }, 403},
		"no origin to speak of": {func(r *http.Request) { r.Header.Set("Origin", "null") }, 403},
		"cross-site":            {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"same-site":             {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, 403},
	}
	for name, c := range cases {
		f := &fake{}
		require.Equal(t, c.code, ask(t, f, http.MethodPost, "/panel/services/bot", `{"action": "stop"}`, c.change).code, name)
		require.Equal(t, c.code, ask(t, f, http.MethodGet, "/panel/ledger", "", c.change).code, name)
		if c.code != http.StatusOK {
			require.Empty(t, f.ordered, name)
			require.Zero(t, f.limit, name)
		}
	}
	link := func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
	}
	f := &fake{}
	require.Equal(t, http.StatusOK, ask(t, f, http.MethodGet, "/panel/", "", link).code, "a link is followed")
	require.Equal(t, http.StatusForbidden, ask(t, f, http.MethodPost, "/panel/services/bot", `{"action": "stop"}`, link).code)
	form := func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }
	require.Equal(t, http.StatusUnsupportedMediaType, ask(t, f, http.MethodPost, "/panel/services/bot", `{"action": "stop"}`, form).code)
	require.Empty(t, f.ordered)
}

func TestPanelSaysWhatWentWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		code int
		text string
	}{
		{panel.Refuse(http.StatusConflict, "bot is running"), http.StatusConflict, "bot is running"},
		{errors.Join(errors.New("password=secret"), panel.ErrAway), http.StatusServiceUnavailable, "the database does not answer"},
		{errors.New("odd"), http.StatusInternalServerError, "odd"},
	} {
		got := ask(t, &fake{err: c.err}, http.MethodPost, "/panel/services/bot", `{"action": "start"}`, nil)
		require.Equal(t, c.code, got.code)
		var said struct {
			Error string `json:"error"`
		}
		require.NoError(t, json.Unmarshal([]byte(got.body), &said))
		require.Equal(t, c.text, said.Error)
	}
}
