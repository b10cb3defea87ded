package daemon_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/vpnnode/internal/daemon"
	"atlas-secure/vpnnode/internal/state"
)

type health struct {
	Status     string    `json:"status"`
	InstanceID string    `json:"instance_id"`
	StartedAt  time.Time `json:"started_at"`
	Users      int       `json:"users"`
	Revision   string    `json:"revision"`
}

func (b *bundle) health() health {
	b.Helper()
	var h health
	require.Equal(b, http.StatusOK, b.callWithKey("", http.MethodGet, "/health", nil, &h))
	return h
}

type listBody struct {
	Users    []userBody `json:"users"`
	Revision string     `json:"revision,omitempty"`
}

type changes struct{ Added, Removed, Kept int }

func TestEverythingButHealthNeedsTheKey(t *testing.T) {
	b := setup(t)
	for _, key := range []string{"", "wrong", apiKey + "x"} {
		for _, route := range []string{
			"POST /add-user", "POST /remove-user/" + alice, "PUT /users", "GET /users", "GET /metrics", "GET /nowhere",
		} {
			method, path, _ := strings.Cut(route, " ")
			require.Equal(t, http.StatusUnauthorized, b.callWithKey(key, method, path, userBody{UUID: alice}, nil), "%s %q", route, key)
		}
	}
	h := b.health()
	require.Equal(t, "ok", h.Status)
	require.Zero(t, h.Users)
	require.NotEmpty(t, h.InstanceID)
	require.WithinDuration(t, time.Now(), h.StartedAt, time.Minute)
}

func TestSetUsersMakesTheListExactlyTheWantedOne(t *testing.T) {
	address := echo(t)
	b := setup(t)
	alicesKey, bobsKey := b.add(alice, 1), b.add(bob, 1)
	_, alicesClosed, err := b.hold(b.dial(alicesKey, ""), address)
	require.NoError(t, err)
	bobs, _, err := b.hold(b.dial(bobsKey, ""), address)
	require.NoError(t, err)

	const carol = "c0ffee00-0000-4000-8000-00000000beef"
	var done changes
	wanted := listBody{Users: []userBody{{strings.ToUpper(bob), 7}, {carol, 0}}}
	require.Equal(t, http.StatusOK, b.call(http.MethodPut, "/users", wanted, &done))
	require.Equal(t, changes{Added: 1, Removed: 1, Kept: 1}, done)
	requireClosed(t, alicesClosed)
	_, err = bobs.Write([]byte("still here"))
	require.NoError(t, err)
	require.Equal(t, 7, b.usageOf(bob).DeviceLimit)
	_, _, err = b.hold(b.dial(strings.Replace(bobsKey, bob, carol, 1), ""), address)
	require.NoError(t, err)

	require.Equal(t, http.StatusOK, b.call(http.MethodPut, "/users", listBody{Users: []userBody{}}, &done))
	require.Equal(t, changes{Removed: 2}, done)
	require.Zero(t, b.health().Users)
}

// The worker reads the wanted list, then somebody is added, then the worker's list arrives: it must not undo that.
func TestSetUsersDoesNotUndoWhatItHasNotSeen(t *testing.T) {
	b := setup(t)
	seen := b.health().Revision
	b.add(alice, 1)
	stale := listBody{Users: []userBody{}, Revision: seen}
	require.Equal(t, http.StatusConflict, b.call(http.MethodPut, "/users", stale, nil))
	require.Equal(t, 1, b.health().Users)

	fresh := listBody{Users: []userBody{}, Revision: b.health().Revision}
	require.Equal(t, http.StatusOK, b.call(http.MethodPut, "/users", fresh, nil))
	require.Zero(t, b.health().Users)
}

// Whoever has looked at the list can tell that it has changed since, whatever the change was and over a restart too.
func TestEveryChangeMakesANewRevision(t *testing.T) {
	b := setup(t)
	seen := []string{b.health().Revision}
	require.Equal(t, seen[0], b.health().Revision, "looking is no change")
	for _, change := range []func(){
		func() { b.add(alice, 1) },
		func() { b.add(alice, 2) },
		func() { b.remove(alice) },
		func() {
			require.Equal(t, http.StatusOK, b.call(http.MethodPut, "/users", listBody{Users: []userBody{{bob, 1}}}, nil))
		},
	} {
		change()
		now := b.health().Revision
		require.NotContains(t, seen, now)
		seen = append(seen, now)
	}
	require.NotContains(t, seen, setup(t).health().Revision)
}

// The list of a large node is far longer than any other request.
func TestSetUsersTakesALongList(t *testing.T) {
	b := setup(t)
	list := listBody{Users: make([]userBody, 2000)}
	for i := range list.Users {
		list.Users[i].UUID = fmt.Sprintf("c0ffee00-0000-4000-8000-%012x", i)
	}
	var done changes
	require.Equal(t, http.StatusOK, b.call(http.MethodPut, "/users", list, &done))
	require.Equal(t, changes{Added: 2000}, done)
	require.Equal(t, 2000, b.health().Users)
}

// A uuid is a key and stands in paths and bodies. No line has it, whatever becomes of the request.
func TestNoKeyIsLogged(t *testing.T) {
	var log bytes.Buffer
	b := setupLogging(t, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	b.add(alice, 1)
	b.usageOf(alice)
	b.remove(alice)
	for _, route := range []string{
		"POST /remove-user/" + alice, "POST /remove-user/" + alice + "x", "GET /remove-user/" + alice, "POST /" + alice,
		"POST /add-user?uuid=" + alice,
	} {
		method, path, _ := strings.Cut(route, " ")
		b.call(method, path, nil, nil)
		require.Equal(t, http.StatusUnauthorized, b.callWithKey(apiKey+"x", method, path, nil, nil))
	}
	b.stop()
	require.Contains(t, log.String(), `"POST /remove-user/{uuid}"`)
	require.NotContains(t, log.String(), alice)
	require.NotContains(t, log.String(), apiKey)
}

func TestMalformedRequestsChangeNothing(t *testing.T) {
	b := setup(t)
	b.add(alice, 1)
	for _, c := range []struct {
		route, body string
		want        int
	}{
		{"POST /add-user", `{"uuid":"bob"}`, http.StatusBadRequest},
		{"POST /add-user", `{"uuid":"` + bob + `x"}`, http.StatusBadRequest},
		{"POST /add-user", `{"uuid":"00000000-0000-0000-0000-000000000000"}`, http.StatusBadRequest},
		{"POST /add-user", `{"uuid":"` + bob + `","device_limit":-1}`, http.StatusBadRequest},
		{"POST /add-user", `{"uuid":"` + bob + `","device_limit":10001}`, http.StatusBadRequest},
		{"POST /add-user", `{"uuid":"` + bob + `"} {}`, http.StatusBadRequest},
		{"POST /add-user", `not json`, http.StatusBadRequest},
		{"POST /add-user", `{"uuid":"` + strings.Repeat("x", 100_000) + `"}`, http.StatusRequestEntityTooLarge},
		{"POST /remove-user/bob", ``, http.StatusBadRequest},
		{"PUT /users", `{}`, http.StatusBadRequest},
		{"PUT /users", `{"users":[{"uuid":"` + bob + `"},{"uuid":"bob"}]}`, http.StatusBadRequest},
		{"PUT /users", `{"users":[{"uuid":"` + bob + `"},{"uuid":"` + bob + `"}]}`, http.StatusBadRequest},
		{"DELETE /users", ``, http.StatusMethodNotAllowed},
		{"GET /nowhere", ``, http.StatusNotFound},
	} {
		method, path, _ := strings.Cut(c.route, " ")
		request, err := http.NewRequestWithContext(t.Context(), method, b.base+path, strings.NewReader(c.body))
		require.NoError(t, err)
		request.Header.Set("X-API-Key", apiKey)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, c.want, response.StatusCode, "%s %.80s", c.route, c.body)
	}
	require.Equal(t, 1, b.health().Users)
	require.Equal(t, alice, b.usageOf(alice).UUID)
}

func TestMetricsForPrometheus(t *testing.T) {
	b := setup(t)
	_, _, err := b.hold(b.dial(b.add(alice, 1), ""), echo(t))
	require.NoError(t, err)
	text := b.metrics()
	for _, line := range []string{
		"vpnnode_users 1\n", "vpnnode_connections 1\n", `vpnnode_traffic_bytes_total{direction="down"} 4` + "\n",
		`vpnnode_api_requests_total{route="POST /add-user",status="200"} 1` + "\n",
	} {
		require.Contains(t, text, line)
	}
	require.NotContains(t, text, alice)
}

func TestLinksSurviveARestart(t *testing.T) {
	address, dir := echo(t), t.TempDir()
	before := setup(t, with("VPNNODE_STATE_DIR", dir))
	key := before.add(alice, 1)
	instance := before.health().InstanceID
	_, _, err := before.hold(before.dial(key, ""), address) // what was open does not keep the port taken
	require.NoError(t, err)
	before.stop()

	after := setup(t, with("VPNNODE_STATE_DIR", dir))
	require.NotEqual(t, instance, after.health().InstanceID)
	require.Zero(t, after.health().Users)
	require.Equal(t, http.StatusOK, after.call(http.MethodPut, "/users", listBody{Users: []userBody{{alice, 1}}}, nil))
	_, _, err = after.hold(after.dial(key, ""), address)
	require.NoError(t, err)
	require.Equal(t, key, after.add(alice, 1))

	file, err := os.Stat(filepath.Join(dir, "reality.json"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), file.Mode().Perm())
}

func TestLinksNameThePublicAddress(t *testing.T) {
	b := setup(t, with("VPNNODE_PUBLIC_ADDRESS", "vpn.example.org:8444"))
	require.Contains(t, b.add(alice, 1), "@vpn.example.org:8444?")
}

// A request in hand when the stop comes is answered, and after the stop nobody listens any more.
func TestStopFinishesTheRequestInHand(t *testing.T) {
	b := setup(t)
	api, vpn, body := b.daemon.APIAddr(), b.vpnAddress(), `{"uuid":"`+bob+`"}`
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", api)
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /add-user HTTP/1.1\r\nHost: node\r\nX-API-Key: %s\r\nContent-Length: %d\r\n"+
		"Expect: 100-continue\r\n\r\n", apiKey, len(body))
	require.NoError(t, err)
	answer := bufio.NewReader(conn)
	line, err := answer.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "100 Continue") // the handler waits for the body
	_, err = answer.ReadString('\n')
	require.NoError(t, err)

	stopped, d := make(chan error, 1), b.daemon
	b.daemon = nil // it is closed here
	go func() { stopped <- d.Close(context.Background()) }()
	require.Eventually(t, func() bool { return !isListening(api) }, patience, time.Millisecond)
	_, err = io.WriteString(conn, body)
	require.NoError(t, err)
	response, err := http.ReadResponse(answer, nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.NoError(t, <-stopped)
	require.False(t, isListening(vpn))
}

func isListening(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// A node that half works would answer that all is well. Two nodes on one port would get half of the customers each.
func TestATakenPortIsAnError(t *testing.T) {
	taken, running := echo(t), setup(t)
	for _, option := range []option{
		with("VPNNODE_LISTEN", taken), with("VPNNODE_XRAY_LISTEN", taken), with("VPNNODE_XRAY_LISTEN", running.vpnAddress()),
	} {
		_, err := daemon.Start(t.Context(), configuration(t, option), quiet())
		require.ErrorContains(t, err, "address already in use")
	}

	dir := t.TempDir()
	_, err := daemon.Start(t.Context(), configuration(t, with("VPNNODE_LISTEN", taken), with("VPNNODE_STATE_DIR", dir)), quiet())
	require.Error(t, err)
	kept, err := state.Open(dir) // it has the port that the core took
	require.NoError(t, err)
	require.NotZero(t, kept.Port)
	require.False(t, isListening(net.JoinHostPort("127.0.0.1", strconv.Itoa(int(kept.Port)))), "the core was left running")

	// The port that is configured counts, not the free one that was kept.
	_, err = daemon.Start(t.Context(), configuration(t, with("VPNNODE_XRAY_LISTEN", taken), with("VPNNODE_STATE_DIR", dir)), quiet())
	require.ErrorContains(t, err, "address already in use")
}

func TestStopEndsOpenConnections(t *testing.T) {
	b := setup(t)
	_, closed, err := b.hold(b.dial(b.add(alice, 1), ""), echo(t))
	require.NoError(t, err)
	b.stop() // fails when a time limit has run out
	requireClosed(t, closed)
}

func TestRunEndsWithItsContext(t *testing.T) {
	cfg := configuration(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- daemon.Run(ctx, cfg, quiet()) }()
	cancel()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(patience):
		require.Fail(t, "it does not stop")
	}
}

func TestTheAPISpeaksTLS(t *testing.T) {
	certFile, keyFile, roots := certificate(t)
	b := setup(t, with("VPNNODE_TLS_CERT", certFile), with("VPNNODE_TLS_KEY", keyFile))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+b.daemon.APIAddr()+"/health", http.NoBody)
	require.NoError(t, err)
	response, err := client.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	client.CloseIdleConnections()
}

// certificate makes a self-signed one for 127.0.0.1.
func certificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, kind string, content []byte) string {
		var text bytes.Buffer
		require.NoError(t, pem.Encode(&text, &pem.Block{Type: kind, Bytes: content}))
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, text.Bytes(), 0o600))
		return path
	}
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", keyDER), roots
}
