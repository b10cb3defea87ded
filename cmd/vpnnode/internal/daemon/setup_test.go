package daemon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/vpnnode/internal/config"
	"atlas-secure/vpnnode/internal/daemon"
	"atlas-secure/vpnnode/internal/link"
	"atlas-secure/vpnnode/internal/xrayclient"
)

// These tests do not run in parallel: an Xray core sets variables of the whole process when it is made, and others read
// them while they dial.

const (
	apiKey   = "a key that only tests know"
	alice    = "66ad4540-b58c-4ad2-9926-ea63445a9b57"
	bob      = "0c9ac5ba-b4d2-4c1d-9b74-37d6c6a3f9d1"
	patience = time.Minute
)

// bundle is a running node and what tests do to it.
type bundle struct {
	*testing.T
	daemon *daemon.Daemon
	base   string
}

type option func(environment map[string]string)

func with(name, value string) option {
	return func(environment map[string]string) { environment[name] = value }
}

// setup starts a node whose customers may reach this machine.
func setup(t *testing.T, options ...option) *bundle {
	t.Helper()
	return setupLogging(t, quiet(), options...)
}

func setupLogging(t *testing.T, logger *slog.Logger, options ...option) *bundle {
	t.Helper()
	d, err := daemon.Start(t.Context(), configuration(t, options...), logger)
	require.NoError(t, err)
	b := &bundle{T: t, daemon: d, base: "http://" + d.APIAddr()}
	t.Cleanup(b.stop)
	return b
}

func configuration(t *testing.T, options ...option) *config.Config {
	t.Helper()
	environment := map[string]string{
		"VPNNODE_API_KEY":        apiKey,
		"VPNNODE_LISTEN":         "127.0.0.1:0",
		"VPNNODE_XRAY_LISTEN":    "127.0.0.1:0",
		"VPNNODE_STATE_DIR":      t.TempDir(),
		"VPNNODE_ALLOW_LOOPBACK": "true",
	}
	for _, apply := range options {
		apply(environment)
	}
	cfg, err := config.Load(func(name string) (string, bool) {
		value, ok := environment[name]
		return value, ok
	})
	require.NoError(t, err)
	return cfg
}

func quiet() *slog.Logger {
	if os.Getenv("VPNNODE_TEST_LOG") != "" {
		return slog.Default()
	}
	return slog.New(slog.DiscardHandler)
}

// stop may be called again.
func (b *bundle) stop() {
	if b.daemon != nil {
		require.NoError(b, b.daemon.Close(context.Background()))
		b.daemon = nil
	}
}

// call sends a request with the right key and decodes the answer.
func (b *bundle) call(method, path string, body, into any) (status int) {
	b.Helper()
	return b.callWithKey(apiKey, method, path, body, into)
}

func (b *bundle) callWithKey(key, method, path string, body, into any) (status int) {
	b.Helper()
	text, err := json.Marshal(body)
	require.NoError(b, err)
	request, err := http.NewRequestWithContext(b.Context(), method, b.base+path, bytes.NewReader(text))
	require.NoError(b, err)
	request.Header.Set("X-API-Key", key)
	response, err := http.DefaultClient.Do(request)
	require.NoError(b, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(b, err)
	if into != nil {
		require.NoError(b, json.Unmarshal(answer, into), "%s", answer)
	}
	return response.StatusCode
}

type userBody struct {
	UUID        string `json:"uuid"`
	DeviceLimit int    `json:"device_limit"`
}

// add puts a user on the list and returns the key.
func (b *bundle) add(uuid string, deviceLimit int) (vlessLink string) {
	b.Helper()
	var answer struct {
		UUID      string `json:"uuid"`
		VlessLink string `json:"vless_link"`
	}
	require.Equal(b, http.StatusOK, b.call(http.MethodPost, "/add-user", userBody{uuid, deviceLimit}, &answer))
	require.Equal(b, uuid, answer.UUID)
	return answer.VlessLink
}

func (b *bundle) remove(uuid string) {
	b.Helper()
	require.Equal(b, http.StatusOK, b.call(http.MethodPost, "/remove-user/"+uuid, nil, nil))
}

// vpnAddress is where VPN clients connect.
func (b *bundle) vpnAddress() string {
	b.Helper()
	parsed, err := link.Parse(b.add(alice, 0))
	require.NoError(b, err)
	return net.JoinHostPort(parsed.Host, strconv.Itoa(int(parsed.Port)))
}

// metrics is what Prometheus gets.
func (b *bundle) metrics() string {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, b.base+"/metrics", http.NoBody)
	require.NoError(b, err)
	request.Header.Set("Authorization", "Bearer "+apiKey)
	response, err := http.DefaultClient.Do(request)
	require.NoError(b, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(b, err)
	return string(text)
}

type usage struct {
	userBody
	Devices     int   `json:"devices"`
	Connections int   `json:"connections"`
	UpBytes     int64 `json:"up_bytes"`
	DownBytes   int64 `json:"down_bytes"`
}

func (b *bundle) usageOf(uuid string) usage {
	b.Helper()
	var list []usage
	require.Equal(b, http.StatusOK, b.call(http.MethodGet, "/users", nil, &list))
	for _, u := range list {
		if u.UUID == uuid {
			return u
		}
	}
	require.Fail(b, "no such user in GET /users")
	return usage{}
}

// dial starts a VPN client with the key; source is empty or the address it comes from.
func (b *bundle) dial(vlessLink, source string) *xrayclient.Client {
	b.Helper()
	parsed, err := link.Parse(vlessLink)
	require.NoError(b, err)
	var from netip.Addr
	if source != "" {
		from = netip.MustParseAddr(source)
	}
	client, err := xrayclient.New(b.Context(), parsed, from)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, client.Close()) })
	return client
}

// get fetches a page through a VPN client.
func (b *bundle) get(client *xrayclient.Client, url string) (string, error) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	require.NoError(b, err)
	response, err := client.HTTP().Do(request)
	if err != nil {
		require.NoError(b, ctx.Err(), "the connection hung instead of being closed")
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// hold opens an echo connection through a VPN client and proves that it works. Whatever is read from it after that
// arrives in the channel, which is closed with the connection.
func (b *bundle) hold(client *xrayclient.Client, address string) (net.Conn, <-chan struct{}, error) {
	b.Helper()
	conn, err := client.DialContext(b.Context(), "tcp", address)
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.Close() })
	if _, err := conn.Write([]byte("ping")); err != nil {
		return nil, nil, err
	}
	if _, err := io.ReadFull(conn, make([]byte, 4)); err != nil {
		return nil, nil, err
	}
	closed := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		close(closed)
	}()
	return conn, closed, nil
}

// echo is a TCP server that sends back what it gets.
func echo(t *testing.T) (address string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}
