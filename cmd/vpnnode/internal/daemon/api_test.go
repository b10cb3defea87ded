package daemon_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/vpnnode/internal/config"
	"atlas-secure/vpnnode/internal/daemon"
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
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.base+"/metrics", http.NoBody)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+apiKey)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	for _, line := range []string{
		"vpnnode_users 1\n", "vpnnode_connections 1\n", `vpnnode_traffic_bytes_total{direction="down"} 4` + "\n",
		`vpnnode_api_requests_total{route="POST /add-user",status="200"} 1` + "\n",
	} {
		require.Contains(t, string(text), line)
	}
	require.NotContains(t, string(text), alice)
}

func TestLinksSurviveARestart(t *testing.T) {
	address, dir := echo(t), t.TempDir()
	before := setup(t, with("VPNNODE_STATE_DIR", dir))
	key := before.add(alice, 1)
	instance := before.health().InstanceID
	before.stop()

	after := setup(t, with("VPNNODE_STATE_DIR", dir))
	require.NotEqual(t, instance, after.health().InstanceID)
	require.Zero(t, after.health().Users)
	require.Equal(t, http.StatusOK, after.call(http.MethodPut, "/users", listBody{Users: []userBody{{alice, 1}}}, nil))
	_, _, err := after.hold(after.dial(key, ""), address)
	require.NoError(t, err)
	require.Equal(t, key, after.add(alice, 1))

	file, err := os.Stat(filepath.Join(dir, "reality.json"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), file.Mode().Perm())
}

func TestStopEndsOpenConnections(t *testing.T) {
	b := setup(t)
	_, closed, err := b.hold(b.dial(b.add(alice, 1), ""), echo(t))
	require.NoError(t, err)
	b.stop() // fails when a time limit has run out
	requireClosed(t, closed)
}

func TestRunEndsWithItsContext(t *testing.T) {
	cfg, err := config.Load(func(name string) (string, bool) {
		value, ok := map[string]string{
			"VPNNODE_API_KEY": apiKey, "VPNNODE_LISTEN": "127.0.0.1:0", "VPNNODE_XRAY_LISTEN": "127.0.0.1:0",
			"VPNNODE_STATE_DIR": t.TempDir(),
		}[name]
		return value, ok
	})
	require.NoError(t, err)
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
