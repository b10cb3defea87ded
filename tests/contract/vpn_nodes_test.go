package contract_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var badNodeNames = []any{"", "-a", "FI", "a b", "a.b", control, strings.Repeat("n", 33), long}

func report(name string, isUp bool, users, text any) A {
	return A{"p_name": name, "p_is_up": isUp, "p_users": users, "p_error": text}
}

// drain has a node that is there get no new keys.
func (b *bundle) drain(name string) Row {
	b.Helper()
	b.One("vpn.report_node", report(name, true, 0, nil))
	return b.One("vpn.set_node", A{"p_admin_id": boss, "p_name": name, "p_is_draining": true})
}

// placed finishes the next job at a node.
func (b *bundle) placed(node, key string) Row {
	b.Helper()
	job := b.jobs("w", 1)[0]
	args := of(job, "p_key_uri", key)
	args["p_node"] = node
	b.One("vpn.complete_job", args)
	return job
}

// homes is where the key of each user leads whom a node should hold.
func (b *bundle) homes() map[any]any {
	b.Helper()
	found := map[any]any{}
	for _, row := range b.All("vpn.wanted_users", A{}) {
		found[row["telegram_id"]] = row["node"]
	}
	return found
}

func TestNodesAreReportedAndDrained(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	require.Equal(t, Row{"name": "fi-1", "is_draining": false}, b.One("vpn.report_node", report("fi-1", true, 7, nil)))
	require.Equal(t, Row{"name": "de-1", "is_draining": false}, b.One("vpn.report_node", report("de-1", false, nil, "silent")))
	require.Equal(t, Row{"name": "fi-1", "is_draining": true, "keys": 0}, b.drain("fi-1"))
	require.Equal(t, []Row{{"name": "fi-1"}}, b.All("vpn.draining_nodes", A{}))
	b.owner.At(at.Add(time.Minute))
	require.Equal(t, Row{"name": "fi-1", "is_draining": true}, b.One("vpn.report_node", report("fi-1", false, nil, "gone")),
		"a report switches nothing")
	require.Equal(t, []Row{
		{"name": "de-1", "is_draining": false, "is_up": false, "users": nil, "keys": 0, "reported_at": at, "last_error": "silent"},
		{"name": "fi-1", "is_draining": true, "is_up": false, "users": 0, "keys": 0, "reported_at": at.Add(time.Minute),
			"last_error": "gone"},
	}, b.All("vpn.list_nodes", A{}))
	b.drain("fi-1")
	require.Equal(t, 1, b.count("audit.event where action = 'vpn.set_node' and subject_id = 'fi-1'"), "once: it drained already")
	b.One("vpn.set_node", A{"p_admin_id": boss, "p_name": "fi-1", "p_is_draining": false})
	require.Empty(t, b.All("vpn.draining_nodes", A{}))
}

func TestAKeyStaysWhereItWasMade(t *testing.T) {
	b := setup(t)
	b.Credit(bert, 50000)
	b.Buy(anna, "basic", 1, "1")
	b.Buy(bert, "basic", 1, "1")
	require.Equal(t, map[any]any{anna: nil, bert: nil}, b.homes())
	for _, row := range b.All("vpn.wanted_users", A{}) {
		require.Equal(t, true, row["is_pending"])
	}
	require.Nil(t, b.placed("fi-1", "vless://a")["node"])
	b.placed("de-1", "vless://b")
	require.Equal(t, map[any]any{anna: "fi-1", bert: "de-1"}, b.homes())

	b.Buy(anna, "basic", 1, "2")
	require.Equal(t, "fi-1", b.placed("fi-1", "vless://a")["node"], "the next job is told")
	b.One("subscription.revoke", A{"p_admin_id": boss, "p_telegram_id": anna, "p_reason": "r", "p_idempotency_key": "k"})
	gone := b.jobs("w", 1)[0]
	require.Equal(t, Row{"action": "remove", "node": "fi-1"}, pick(gone, "action", "node"), "so is its removal")
	b.One("vpn.complete_job", of(gone, "p_key_uri", nil))
	require.Zero(t, b.count("vpn.placement where telegram_id = $1", anna))
	require.Equal(t, map[any]any{bert: "de-1"}, b.homes())
}

func TestKeysMoveFromADrainingNode(t *testing.T) {
	b := setup(t)
	b.Credit(bert, 50000)
	b.Buy(anna, "basic", 1, "1")
	b.Buy(bert, "basic", 1, "1")
	b.placed("fi-1", "vless://a@fi")
	b.placed("fi-1", "vless://b@fi")
	move := func(limit int) Row {
		return b.One("vpn.move_keys", A{"p_admin_id": boss, "p_name": "fi-1", "p_limit": limit})
	}
	b.One("vpn.report_node", report("fi-1", true, 2, nil))
	b.Refused("22023", "vpn.move_keys", A{"p_admin_id": boss, "p_name": "fi-1", "p_limit": 1})
	require.Equal(t, 2, b.drain("fi-1")["keys"])
	require.Equal(t, map[any]any{anna: "fi-1", bert: "fi-1"}, b.homes(), "they stay until they are moved")

	require.Equal(t, Row{"moved": 1, "keys": 1}, move(1))
	before := b.subscription(anna)
	require.Equal(t, map[any]any{anna: nil, bert: "fi-1"}, b.homes())
	require.Equal(t, "vless://a@fi", before["key_uri"], "good until there is another")
	job := b.placed("de-1", "vless://a@de")
	require.Equal(t, Row{"action": "add", "node": nil, "vpn_uuid": before["vpn_uuid"]}, pick(job, "action", "node", "vpn_uuid"))
	require.Equal(t, "vless://a@de", b.subscription(anna)["key_uri"])
	require.Equal(t, []string{"payment_applied", "key_ready", "key_ready"}, b.messages(anna), "the new key goes out")
	require.Equal(t, Row{"moved": 1, "keys": 0}, move(10))
	require.Equal(t, Row{"moved": 0, "keys": 0}, move(10))
	require.Equal(t, 2, b.count("audit.event where action = 'vpn.move_keys'"))
}

func TestNobodyIsMovedWhoseTimeIsOver(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.Buy(anna, "basic", 1, "1")
	b.placed("fi-1", "vless://a")
	b.drain("fi-1")
	b.owner.At(at.AddDate(0, 2, 0))
	require.Equal(t, Row{"moved": 0, "keys": 1},
		b.One("vpn.move_keys", A{"p_admin_id": boss, "p_name": "fi-1", "p_limit": 10}))
}
