package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/config"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/vpn"
	"atlas-secure/internal/worker"
)

// badNode is a node, over HTTP, that answers the next adds as it is told; after that as it should.
type badNode struct {
	mu    sync.Mutex
	next  []string
	users map[string]int // how often each was added
}

func (n *badNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/health" {
		_, _ = fmt.Fprint(w, `{"status":"ok","instance_id":"one","users":0}`)
		return
	}
	var user struct {
		UUID string `json:"uuid"`
	}
	_ = json.NewDecoder(r.Body).Decode(&user)
	n.mu.Lock()
	answer := ""
	if len(n.next) > 0 {
		answer, n.next = n.next[0], n.next[1:]
	}
	if answer != "fails" && answer != "is silent" {
		n.users[user.UUID]++
	}
	n.mu.Unlock()
	switch answer {
	case "dies after success":
		panic(http.ErrAbortHandler)
	case "fails":
		http.Error(w, `{"error":"internal"}`, http.StatusInternalServerError)
	case "is silent":
		<-r.Context().Done()
	default:
		_, _ = fmt.Fprintf(w, `{"uuid":%q,"vless_link":"vless://%s@127.0.0.1:443"}`, user.UUID, user.UUID)
	}
}

// TestF10ProvisionerFaults: the node succeeds and dies, fails, is silent, and is asked for the same user again: there is one
// user and one key. One that fails five times is given up, and its refund by two admins is one.
func TestF10ProvisionerFaults(t *testing.T) {
	t.Parallel()
	s := setupSystem(t)
	bad := &badNode{users: map[string]int{}, next: []string{"dies after success", "fails", "is silent", "fails"}}
	server := httptest.NewServer(bad)
	t.Cleanup(server.Close)
	client, err := vpn.NewClient(server.URL, config.NewSecret("key"))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	minutes := 0
	work := func() {
		minutes += 11 // no pause between attempts is longer
		_, err := s.Owner.Exec(t.Context(), fmt.Sprintf(`create or replace function core.now() returns timestamptz language sql
			volatile as $$ select clock_timestamp() + interval '%d minutes' $$`, minutes))
		require.NoError(t, err)
		_, err = worker.Provision(s.db.VPN, []vpn.Named{{Name: "bad", Node: client}}, obs.Discard())(t.Context(),
			worker.Batch{Holder: "w", Limit: 10, IsStopping: func() bool { return false }})
		require.NoError(t, err)
	}
	s.buy(t, 100)
	activation := func(user atlas.TelegramID) atlas.Activation {
		current, err := s.dba.Subscription.Current(t.Context(), user)
		require.NoError(t, err)
		return current.Activation
	}
	for deadline := time.Now().Add(soon); activation(100) != atlas.ActivationDone; work() {
		require.True(t, time.Now().Before(deadline), "never")
	}
	require.Empty(t, bad.next, "every fault was met")
	require.Len(t, bad.users, 1)
	current, err := s.dba.Subscription.Current(t.Context(), 100)
	require.NoError(t, err)
	require.Greater(t, bad.users[current.VPNUUID], 1, "asked for again")
	require.Equal(t, 1, s.number(t, "select count(*)::int from outbox.task where name = 'key_ready'"))
	require.Equal(t, 3, s.number(t, "select attempt::int from outbox.task where kind = 'provision'"), "an outage is no attempt")

	s.buy(t, 200)
	for range 5 {
		bad.next = append(bad.next, "fails")
		work()
	}
	require.Empty(t, bad.next)
	require.Equal(t, atlas.ActivationFailed, activation(200))
	work()
	require.Equal(t, 1, s.number(t, "select count(*)::int from outbox.task where name = 'key_ready'"), "nothing more is tried")
	_, err = s.DBA.Exec(t.Context(), `select from account.register(2, null, 'en', null); select from account.grant_admin(2, 'second')`)
	require.NoError(t, err)
	var purchase string
	require.NoError(t, s.Owner.QueryRow(t.Context(), "select purchase_id::text from billing.purchase where telegram_id = 200").Scan(&purchase))
	refunds := 0
	for _, by := range []int{1, 2, 1, 2} {
		_, err = s.DBA.Exec(t.Context(), `select from billing.refund_purchase(p_admin_id => $1, p_reason => 'no key', p_purchase_id => $2)`, by, purchase)
		if err == nil {
			refunds++
		}
	}
	require.Equal(t, 2, refunds, "the first admin's, and its replay")
	require.Equal(t, 1, s.number(t, "select count(*)::int from billing.refund"))
	require.Equal(t, 20000, s.number(t, "select available_kopecks::int from wallet.wallet where telegram_id = 200"))
}

func (s *systemBundle) number(t *testing.T, sql string) int {
	t.Helper()
	var n int
	require.NoError(t, s.Owner.QueryRow(t.Context(), sql).Scan(&n))
	return n
}

// TestF10TheRunEndsWhileTheNodeWorks: the time of a run is over while a node has not answered yet. That is written down all
// the same, so that the next run has the job at once, and not when its lease has run out.
func TestF10TheRunEndsWhileTheNodeWorks(t *testing.T) {
	t.Parallel()
	s := setupSystem(t)
	ctx, end := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			_, _ = fmt.Fprint(w, `{"status":"ok","instance_id":"one","users":0}`)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		end()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	client, err := vpn.NewClient(server.URL, config.NewSecret("key"))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	s.buy(t, 100)
	_, _ = worker.Provision(s.db.VPN, []vpn.Named{{Name: "slow", Node: client}}, obs.Discard())(ctx,
		worker.Batch{Holder: "w", Limit: 10, IsStopping: func() bool { return false }})
	require.Error(t, ctx.Err(), "the node was asked")
	require.Equal(t, 1, s.number(t, `select count(*)::int from outbox.task where kind = 'provision' and finished_at is null
		and attempt = 1 and leased_until is null`))
}
