package vpn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/config"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/vpn"
	"atlas-secure/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

const (
	apiKey = "a key that only tests know"
	uuid   = "66ad4540-b58c-4ad2-9926-ea63445a9b57"
	link   = "vless://" + uuid + "@vpn.example.org:443?type=tcp#Atlas%20Secure"
)

// bundle is a client and the node that it talks to.
type bundle struct {
	client *vpn.Client
}

func setup(t *testing.T, node http.HandlerFunc) *bundle {
	t.Helper()
	b := &bundle{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-API-Key") != apiKey {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		node(w, r)
	}))
	t.Cleanup(server.Close)
	b.client = client(t, server.URL, apiKey)
	return b
}

func client(t *testing.T, address, key string) *vpn.Client {
	t.Helper()
	c, err := vpn.NewClient(address, config.NewSecret(key))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func answer(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, text)
	}
}

func TestAddSendsTheUserAndReturnsTheKey(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if json.NewDecoder(r.Body).Decode(&body) != nil || r.Method+r.URL.Path != "POST/add-user" ||
			body["uuid"] != uuid || body["device_limit"] != 3.0 || r.Header.Get("X-Correlation-ID") != "u1" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		answer(http.StatusOK, `{"uuid":"`+uuid+`","vless_link":"`+link+`"}`)(w, r)
	})
	ctx := obs.WithCorrelationID(t.Context(), "u1")
	key, err := b.client.Add(ctx, atlas.VPNUser{UUID: uuid, DeviceLimit: 3})
	require.NoError(t, err)
	require.Equal(t, link, key)
}

func TestAddDoesNotTakeAnythingForAKey(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, `[]`, `{}`, `{"uuid":"` + uuid + `"}`, `{"uuid":"other","vless_link":"` + link + `"}`,
		`{"uuid":"` + uuid + `","vless_link":"https://example.org"}`,
	} {
		_, err := setup(t, answer(http.StatusOK, text)).client.Add(t.Context(), atlas.VPNUser{UUID: uuid})
		require.Error(t, err, text)
		require.NotErrorIs(t, err, vpn.ErrDown)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method+r.URL.Path != "POST/remove-user/"+uuid {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	require.NoError(t, b.client.Remove(t.Context(), uuid))

	gone := setup(t, answer(http.StatusNotFound, `{"error":"no such user"}`))
	require.NoError(t, gone.client.Remove(t.Context(), uuid), "a user who is gone is removed")
	_, err := gone.client.Add(t.Context(), atlas.VPNUser{UUID: uuid})
	require.Error(t, err, "404 is fine for Remove only")
}

// list is a node's list of users and its revision, over HTTP.
type list struct {
	users    string
	revision int
	busy     int // how often somebody else changes it, after it was read
	sets     []string
}

func (l *list) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method + r.URL.Path {
	case "GET/health":
		answer(http.StatusOK, fmt.Sprintf(`{"status":"ok","instance_id":"i1","revision":"i1.%d"}`, l.revision))(w, r)
	case "GET/users":
		answer(http.StatusOK, l.users)(w, r)
		if l.busy > 0 {
			l.busy--
			l.revision++
		}
	case "PUT/users":
		var body struct {
			Users    json.RawMessage `json:"users"`
			Revision string          `json:"revision"`
		}
		_ = json.NewDecoder(r.Body).Decode(&body)
		if body.Revision != fmt.Sprintf("i1.%d", l.revision) {
			answer(http.StatusConflict, `{"error":"changed"}`)(w, r)
			return
		}
		l.sets = append(l.sets, string(body.Users))
	default:
		w.WriteHeader(http.StatusTeapot)
	}
}

func wanted(users ...atlas.VPNUser) func(context.Context) (vpn.Wanted, error) {
	return func(context.Context) (vpn.Wanted, error) { return vpn.Wanted{Users: users}, nil }
}

func TestSetSendsTheListOnceWhatIsThereDiffers(t *testing.T) {
	t.Parallel()
	l := &list{users: `[]`}
	client := setup(t, l.ServeHTTP).client
	changes, err := client.Set(t.Context(), wanted(atlas.VPNUser{UUID: uuid, DeviceLimit: 3, TelegramID: 5}))
	require.NoError(t, err)
	require.Equal(t, vpn.Changes{Added: 1}, changes)
	require.JSONEq(t, `[{"uuid":"`+uuid+`","device_limit":3}]`, l.sets[0])

	l.users = l.sets[0]
	changes, err = client.Set(t.Context(), wanted(atlas.VPNUser{UUID: uuid, DeviceLimit: 3}))
	require.NoError(t, err)
	require.Zero(t, changes.Total())
	require.Len(t, l.sets, 1, "nothing to mend, nothing to send")
	changes, err = client.Set(t.Context(), wanted(atlas.VPNUser{UUID: uuid, DeviceLimit: 10}))
	require.NoError(t, err)
	require.Equal(t, vpn.Changes{Changed: 1}, changes)
	changes, err = client.Set(t.Context(), wanted())
	require.NoError(t, err)
	require.Equal(t, vpn.Changes{Removed: 1}, changes)
	require.JSONEq(t, `[]`, l.sets[2], "null is not a list")
	_, err = client.Set(t.Context(), func(context.Context) (vpn.Wanted, error) { return vpn.Wanted{}, errors.New("no database") })
	require.ErrorContains(t, err, "no database")
	require.Len(t, l.sets, 3, "nobody is removed because the list could not be read")
}

func TestSetDoesNotUndoWhatOthersDidMeanwhile(t *testing.T) {
	t.Parallel()
	l := &list{users: `[]`, busy: 2}
	client := setup(t, l.ServeHTTP).client
	asked := 0
	set := func() error {
		_, err := client.Set(t.Context(), func(context.Context) (vpn.Wanted, error) {
			asked++
			return vpn.Wanted{Users: []atlas.VPNUser{{UUID: uuid, DeviceLimit: asked}}}, nil
		})
		return err
	}
	require.NoError(t, set())
	require.JSONEq(t, `[{"uuid":"`+uuid+`","device_limit":3}]`, l.sets[0], "by what is wanted after the last change")
	l.busy = 100
	require.ErrorContains(t, set(), "changed by somebody else")
	require.Len(t, l.sets, 1)
}

func TestHealth(t *testing.T) {
	t.Parallel()
	b := setup(t, answer(http.StatusOK,
		`{"status":"ok","instance_id":"i1","started_at":"2026-01-02T03:04:05.6Z","users":7,"more":"later"}`))
	health, err := b.client.Health(t.Context())
	require.NoError(t, err)
	require.Equal(t, vpn.Health{
		Status: "ok", InstanceID: "i1", StartedAt: time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC), Users: 7,
	}, health)

	_, err = setup(t, answer(http.StatusOK, `{"status":"stopping","instance_id":"i1"}`)).client.Health(t.Context())
	require.ErrorIs(t, err, vpn.ErrDown)
}

func TestANodeThatIsDownIsToldFromACallThatFailed(t *testing.T) {
	t.Parallel()
	for status, isDown := range map[int]bool{
		http.StatusBadRequest: false, http.StatusConflict: false, http.StatusInternalServerError: false, http.StatusFound: false,
		http.StatusUnauthorized: true, http.StatusForbidden: true, http.StatusTooManyRequests: true,
		http.StatusBadGateway: true, http.StatusServiceUnavailable: true, http.StatusGatewayTimeout: true,
	} {
		err := setup(t, answer(status, `{"error":"because"}`)).client.Remove(t.Context(), uuid)
		require.Equal(t, isDown, errors.Is(err, vpn.ErrDown), "%d: %v", status, err)
		var refused *vpn.RefusedError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, vpn.RefusedError{Status: status, Reason: "because"}, *refused)
	}
}

func TestErrorsContainNeitherTheKeyNorTheUser(t *testing.T) {
	t.Parallel()
	c := client(t, "http://127.0.0.1:1", apiKey) // nobody has port 1
	err := c.Remove(t.Context(), uuid)
	require.ErrorIs(t, err, vpn.ErrDown)
	require.NotContains(t, err.Error(), uuid)
	require.NotContains(t, fmt.Sprintf("%+v %#v", c, c), apiKey)
}

// Here and below: how long the node is left alone is exact in a bubble, where time passes by waiting only. No network
// reaches into a bubble, so the node is a pipe.
func TestTheCallersGivingUpSaysNothingAboutTheNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		var hangs atomic.Bool
		c := vpn.NewPipeClient(t, config.NewSecret(apiKey), func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			if hangs.Load() {
				<-r.Context().Done()
			}
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		for range 2 {
			require.ErrorIs(t, c.Remove(t.Context(), uuid), vpn.ErrDown)
		}
		hangs.Store(true)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Remove(ctx, uuid) }()
		synctest.Wait()
		require.EqualValues(t, 3, calls.Load())
		cancel()
		err := <-done
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, vpn.ErrDown)

		hangs.Store(false)
		require.ErrorIs(t, c.Remove(t.Context(), uuid), vpn.ErrDown, "the third failure in a row: from here on it rests")
		require.ErrorIs(t, c.Remove(t.Context(), uuid), vpn.ErrDown)
		require.EqualValues(t, 4, calls.Load())
	})
}

func TestTheKeyDoesNotFollowARedirect(t *testing.T) {
	t.Parallel()
	var isElsewhere atomic.Bool
	b := setup(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			isElsewhere.Store(true)
			return
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	require.Error(t, b.client.Remove(t.Context(), uuid))
	require.False(t, isElsewhere.Load())
}

func TestANodeThatDoesNotAnswerInTimeIsDown(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, b.client.Remove(ctx, uuid), vpn.ErrDown)
}

func TestADownNodeIsLeftAloneForAMomentAndThenTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		var isUp atomic.Bool
		c := vpn.NewPipeClient(t, config.NewSecret(apiKey), func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			if !isUp.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			answer(http.StatusOK, `{"status":"ok","instance_id":"i1"}`)(w, r)
		})
		for range 10 {
			_, err := c.Health(t.Context())
			require.ErrorIs(t, err, vpn.ErrDown)
		}
		require.EqualValues(t, 3, calls.Load())
		isUp.Store(true)
		_, err := c.Health(t.Context())
		require.ErrorIs(t, err, vpn.ErrDown, "it rests")
		time.Sleep(6 * time.Second)
		_, err = c.Health(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.Remove(t.Context(), uuid))
	})
}

func TestTheKeyDoesNotTravelInTheClear(t *testing.T) {
	t.Parallel()
	for address, isFine := range map[string]bool{
		"http://127.0.0.1:1": true, "http://localhost:1": true, "http://[::1]:1": true, "https://vpn.example.org": true,
		"http://vpn.example.org": false, "http://192.0.2.1": false, "ftp://127.0.0.1": false, "127.0.0.1:1": false, "": false,
	} {
		_, err := vpn.NewClient(address, config.NewSecret(apiKey))
		require.Equal(t, isFine, err == nil, "%s: %v", address, err)
	}
	_, err := vpn.NewClient("http://127.0.0.1:1", config.Secret{})
	require.Error(t, err)
}
