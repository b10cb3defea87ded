package daemon_test

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestKeyCarriesTrafficUntilTheUserIsRemoved(t *testing.T) {
	page := strings.Repeat("a page from outside\n", 10_000)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, page) }))
	defer web.Close()
	b := setup(t)
	key := b.add(alice, 3)
	require.True(t, strings.HasPrefix(key, "vless://"+alice+"@127.0.0.1:"), key)
	client := b.dial(key, "")

	got, err := b.get(client, web.URL)
	require.NoError(t, err)
	require.Equal(t, page, got)

	require.Equal(t, key, b.add(alice, 3), "adding twice gives the same key")
	_, err = b.get(client, web.URL)
	require.NoError(t, err)

	u := b.usageOf(alice)
	require.GreaterOrEqual(t, u.DownBytes, int64(2*len(page)))
	require.Positive(t, u.UpBytes)
	require.Equal(t, 3, u.DeviceLimit)

	b.remove(alice)
	_, err = b.get(client, web.URL)
	require.Error(t, err)
	require.Equal(t, http.StatusNotFound, b.call(http.MethodPost, "/remove-user/"+alice, nil, nil))

	b.add(alice, 3)
	_, err = b.get(client, web.URL)
	require.NoError(t, err, "a user who comes back has the same key")
}

func TestUnknownUserCannotUseTheNode(t *testing.T) {
	b := setup(t)
	key := b.add(alice, 0)
	_, _, err := b.hold(b.dial(strings.Replace(key, alice, bob, 1), ""), echo(t))
	require.Error(t, err)
}

// Xray's own log goes to standard output; where a customer goes must not stand there, nor whose connection it was.
func TestNoDestinationIsLogged(t *testing.T) {
	// The core that was made last has the log of the whole process, so the client is made before this node.
	dir, address := t.TempDir(), echo(t)
	before := setup(t, with("VPNNODE_STATE_DIR", dir))
	client := before.dial(before.add(alice, 0), "")
	before.stop()

	path := filepath.Join(t.TempDir(), "output")
	output, err := os.Create(path)
	require.NoError(t, err)
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = output, output
	defer func() { os.Stdout, os.Stderr = stdout, stderr }()
	logger := slog.New(slog.NewJSONHandler(output, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b := setupLogging(t, logger, with("VPNNODE_STATE_DIR", dir))
	b.add(alice, 0)
	_, _, err = b.hold(client, address)
	require.NoError(t, err)
	_, _, err = b.hold(client, "127.1.2.3:9")
	require.Error(t, err, "nobody listens there")
	b.stop()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), "POST /add-user")
	for _, secret := range []string{address, "127.1.2.3", alice} {
		require.NotContains(t, string(text), secret)
	}
}

// Customers name sites; with FORCE_IP46 the node looks the address up. (The way out refuses what is still a name.)
func TestNamesAreLookedUpForCustomers(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer web.Close()
	b := setup(t)
	got, err := b.get(b.dial(b.add(alice, 0), ""), strings.Replace(web.URL, "127.0.0.1", "localhost", 1))
	require.NoError(t, err)
	require.Equal(t, "hello", got)
}

// The node's total never falls, and a user who comes back begins at nothing. A removed one is a stranger to Xray as well:
// no connection of theirs gets as far as the gate.
func TestTrafficIsKeptInTheTotalWhenTheUserGoes(t *testing.T) {
	address := echo(t)
	b := setup(t)
	client := b.dial(b.add(alice, 0), "")
	_, closed, err := b.hold(client, address)
	require.NoError(t, err)
	b.remove(alice)
	requireClosed(t, closed)
	_, _, err = b.hold(client, address)
	require.Error(t, err)
	require.Contains(t, b.metrics(), `vpnnode_traffic_bytes_total{direction="down"} 4`+"\n")
	require.Contains(t, b.metrics(), `vpnnode_refused_connections_total{reason="unknown_user"} 0`+"\n")

	b.add(alice, 0)
	require.Zero(t, b.usageOf(alice).DownBytes)
	_, _, err = b.hold(client, address)
	require.NoError(t, err)
	require.EqualValues(t, 4, b.usageOf(alice).DownBytes)
	require.Contains(t, b.metrics(), `vpnnode_traffic_bytes_total{direction="down"} 8`+"\n")
}

func TestRemovalClosesOpenConnections(t *testing.T) {
	address := echo(t)
	b := setup(t)
	alicesKey, bobsKey := b.add(alice, 0), b.add(bob, 0)
	_, closed, err := b.hold(b.dial(alicesKey, ""), address)
	require.NoError(t, err)
	bobs, bobsClosed, err := b.hold(b.dial(bobsKey, ""), address)
	require.NoError(t, err)
	require.Equal(t, 1, b.usageOf(alice).Connections)

	b.remove(alice)
	requireClosed(t, closed)

	_, err = bobs.Write([]byte("still here"))
	require.NoError(t, err)
	select {
	case <-bobsClosed:
		require.Fail(t, "another user's connection was closed")
	default:
	}
}

// With TLS inside, vision stops wrapping and the kernel moves the bytes; such a connection must be found and closed too.
func TestRemovalClosesASplicedConnection(t *testing.T) {
	const chunk = 64 << 10
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, chunk)); err != nil {
				return
			}
		}
	}))
	web.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	web.StartTLS()
	defer web.Close()
	b := setup(t)
	through := b.dial(b.add(alice, 0), "")
	client := web.Client()
	client.Transport.(*http.Transport).DialContext = through.DialContext
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL, http.NoBody)
	require.NoError(t, err)
	response, err := client.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	_, err = io.CopyN(io.Discard, response.Body, 100*chunk)
	require.NoError(t, err)

	closed := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, response.Body)
		close(closed)
	}()
	b.remove(alice)
	requireClosed(t, closed)
}

func TestDeviceLimit(t *testing.T) {
	address := echo(t)
	b := setup(t)
	key := b.add(alice, 2)
	first, second, third := b.dial(key, "127.0.0.1"), b.dial(key, "127.0.0.2"), b.dial(key, "127.0.0.3")
	conn, _, err := b.hold(first, address)
	require.NoError(t, err)
	_, _, err = b.hold(second, address)
	require.NoError(t, err)
	_, _, err = b.hold(third, address)
	require.Error(t, err, "a third device got in")
	_, _, err = b.hold(second, address)
	require.NoError(t, err, "a device that is in may open more connections")
	require.Equal(t, 2, b.usageOf(alice).Devices)

	require.NoError(t, conn.Close())
	require.Eventually(t, func() bool {
		_, _, err := b.hold(third, address)
		return err == nil
	}, patience, 50*time.Millisecond, "the place of a device that left stays taken")

	b.add(alice, 3)
	_, _, err = b.hold(first, address)
	require.NoError(t, err, "a higher limit counts at once")
}

func TestUDPGoesThroughAndEndsWithTheUser(t *testing.T) {
	server, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	var received atomic.Int64
	go func() {
		packet := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(packet)
			if err != nil {
				return
			}
			received.Add(1)
			_, _ = server.WriteTo(packet[:n], from)
		}
	}()
	b := setup(t)
	conn, err := b.dial(b.add(alice, 0), "").PacketConn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.WriteTo([]byte("ping"), server.LocalAddr())
	require.NoError(t, err)
	answer := make([]byte, 1500)
	n, _, err := conn.ReadFrom(answer)
	require.NoError(t, err)
	require.Equal(t, "ping", string(answer[:n]))
	require.Equal(t, 1, b.usageOf(alice).Connections)

	b.remove(alice)
	before := received.Load()
	again, err := b.dial(b.add(bob, 0), "").PacketConn(t.Context())
	require.NoError(t, err)
	defer again.Close()
	_, _ = conn.WriteTo([]byte("ping"), server.LocalAddr())
	_, err = again.WriteTo([]byte("pong"), server.LocalAddr())
	require.NoError(t, err)
	_, _, err = again.ReadFrom(answer)
	require.NoError(t, err)
	require.Equal(t, before+1, received.Load(), "a packet of a removed user got through")
}

func TestThisMachineIsClosedToCustomers(t *testing.T) {
	var hits atomic.Int64
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", ":0") // all addresses are the point
	require.NoError(t, err)
	web := &http.Server{
		ReadHeaderTimeout: time.Second,
		Handler:           http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }),
	}
	go func() { _ = web.Serve(listener) }()
	defer web.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)

	hosts := []string{"127.0.0.1", "127.8.9.10", "localhost", "0.0.0.0", "::1", "::ffff:127.0.0.1"}
	own, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, addr := range own {
		hosts = append(hosts, addr.(*net.IPNet).IP.String())
	}
	b := setup(t, with("VPNNODE_ALLOW_LOOPBACK", ""))
	client := b.dial(b.add(alice, 0), "")
	for _, host := range hosts {
		_, err := b.get(client, "http://"+net.JoinHostPort(host, port)+"/")
		require.Error(t, err, host)
	}
	require.Zero(t, hits.Load())
}

func requireClosed(t *testing.T, closed <-chan struct{}) {
	t.Helper()
	select {
	case <-closed:
	case <-time.After(patience):
		require.Fail(t, "the connection is still open")
	}
}
