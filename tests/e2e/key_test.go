package e2e

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestKeyCarriesTraffic dials through the key from the chat with a real Xray client, and fetches a page that only a
// server on this machine has.
func TestKeyCarriesTraffic(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page := servePage(t)
	anna, bert := b.rich("Anna"), b.rich("Bert")
	require.NoError(t, anna.choose().press("Pay from the balance").err)
	require.NoError(t, bert.choose().press("Pay from the balance").err)
	annas, berts := anna.waitKey(), bert.waitKey()
	require.NoError(t, anna.err)
	require.NoError(t, bert.err)
	require.NotEqual(t, annas, berts)

	body, err := b.fetch(annas, page)
	require.NoError(t, err)
	require.Contains(t, body, "a page behind the key")

	link, err := url.Parse(annas)
	require.NoError(t, err)
	b.stopSync()
	b.removeFromNode(link.User.Username())
	_, err = b.fetch(annas, page)
	require.Error(t, err, "a removed user's key carries nothing")
	require.NotContains(t, b.nodeUsers(), link.User.Username())
	body, err = b.fetch(berts, page)
	require.NoError(t, err, "everybody else's goes on")
	require.Contains(t, body, "a page behind the key")
}

// stopSync switches the job off that would bring a user back whom the node has lost, while no run is in hand. A run begins
// when the job is due and ends with the time at which it is due again; so before that time there is none.
func (b *bundle) stopSync() {
	b.Helper()
	job := func(isEnabled bool) A {
		return A{"p_name": "vpn.sync_nodes", "p_schedule": nil, "p_is_enabled": isEnabled}
	}
	b.Cleanup(func() { b.One("ops.set_job", job(true)) })
	b.eventually("vpn.sync_nodes is off and not due", func() error {
		b.One("ops.set_job", job(false))
		if b.Value("select next_run_at > core.now() from ops.job where name = 'vpn.sync_nodes'") == true {
			return nil
		}
		b.One("ops.set_job", job(true))
		return errors.New("due, or running")
	})
}

// servePage is a web server on loopback with one page.
func servePage(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "a page behind the key") // the client sees what is missing
	}))
	t.Cleanup(server.Close)
	require.True(t, server.Listener.Addr().(*net.TCPAddr).IP.IsLoopback())
	return server.URL
}

// fetch gets a page through a key, with the client that comes with the node.
func (b *bundle) fetch(key, page string) (string, error) {
	b.Helper()
	out, err := exec.CommandContext(b.ctx, binary("fetch"), "-timeout", "2m", key, page).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}
