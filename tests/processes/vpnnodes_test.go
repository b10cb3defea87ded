package processes_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/port"
)

// vpnNode is a node of ours as a process of its own, at an address that it keeps.
type vpnNode struct {
	testing.TB

	name      string
	api, xray *port.Reservation
	state     string
	command   *exec.Cmd
}

const nodeKey = "a key that only tests know"

// startNode starts a VPN node.
func startNode(t *testing.T, name string) *vpnNode {
	t.Helper()
	n := &vpnNode{TB: t, name: name, state: t.TempDir()}
	for _, kept := range []**port.Reservation{&n.api, &n.xray} {
		reserved, err := port.Reserve(0)
		require.NoError(t, err)
		t.Cleanup(func() { _ = reserved.Close() })
		*kept = reserved
	}
	t.Cleanup(n.kill)
	n.start()
	return n
}

// nodeProgram is the path of the node's binary, which is a module of its own.
func nodeProgram(t testing.TB) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	path := filepath.Join(binaries, "vpnnode")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	command := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	command.Dir, command.Env = "../../cmd/vpnnode", append(os.Environ(), "CGO_ENABLED=0")
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return path
}

func (n *vpnNode) start() {
	n.command = exec.Command(nodeProgram(n))
	n.command.Env = append(os.Environ(), "VPNNODE_API_KEY="+nodeKey, "VPNNODE_LISTEN="+n.api.Address(),
		"VPNNODE_XRAY_LISTEN="+n.xray.Address(), "VPNNODE_STATE_DIR="+n.state, "VPNNODE_ALLOW_LOOPBACK=true")
	require.NoError(n, n.command.Start())
}

func (n *vpnNode) kill() {
	if n.command != nil {
		_ = n.command.Process.Kill()
		_ = n.command.Wait()
		n.command = nil
	}
}

// address is the node as VPN_NODES names it.
func (n *vpnNode) address() string {
	return fmt.Sprintf("node+http://%s:%s@%s", n.name, strings.ReplaceAll(nodeKey, " ", "%20"), n.api.Address())
}

// users are the identities that the node lets in, in order; nil while it does not answer.
func (n *vpnNode) users() []string {
	request, err := http.NewRequestWithContext(n.Context(), http.MethodGet, "http://"+n.api.Address()+"/users", http.NoBody)
	require.NoError(n, err)
	request.Header.Set("X-API-Key", nodeKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	var list []struct {
		UUID string `json:"uuid"`
	}
	text, err := io.ReadAll(response.Body)
	require.NoError(n, err)
	require.NoError(n, json.Unmarshal(text, &list), "%s", text)
	uuids := make([]string, 0, len(list))
	for _, user := range list {
		uuids = append(uuids, user.UUID)
	}
	slices.Sort(uuids)
	return uuids
}

// ledTo are the identities whose keys lead to a node, in order.
func (b *bundle) ledTo(n *vpnNode) []string {
	b.Helper()
	uuids := []string{}
	for _, row := range b.owner.Query(`select p.vpn_uuid from vpn.placement p
		join subscription.subscription s on s.vpn_uuid = p.vpn_uuid
		where p.node = $1 and s.activation = 'active' and s.expires_at > core.now() and position($2 in s.key_uri) > 0
		order by p.vpn_uuid::text`, n.name, n.xray.Address()) {
		uuids = append(uuids, row["vpn_uuid"].(string))
	}
	return uuids
}

// TestVPNNodesDieWhileKeysAreMade lets people buy while one of two VPN nodes is killed again and again, both are for a while,
// and some subscriptions end. Everybody has a key in the end, made by one attempt, that leads to the node which lets it in and
// to no other. Then one node is drained: new keys go to the other, and so do the old ones, with their ends as they were.
func TestVPNNodesDieWhileKeysAreMade(t *testing.T) {
	b := setup(t)
	here, there := startNode(t, "here"), startNode(t, "there")
	b.owner.Query("update ops.scheduled_job set schedule = '1 seconds' where name = 'vpn.sync_nodes'")
	const first, people, gone = 3000, 60, 20
	buy := func(from, to int) {
		for id := first + from; id < first+to; id++ {
			b.User(id)
			b.Credit(id, 100000)
			b.Buy(id, "basic", 1, "k")
		}
	}
	made := func() int { return b.count("outbox.task where kind = 'provision' and outcome = 'done'") }

	buy(0, 30)
	worker := b.start("worker", "LOCAL_VPN_NODES="+here.address()+" "+there.address(), "LOCAL_VPN_NODE_URL=", "LOCAL_VPN_NODE_API_KEY=",
		"LOCAL_VPN_NODE_REST=1s")
	b.eventually("keys are made at both", func() bool { return made() == 30 })
	require.NotEmpty(t, here.users())
	require.NotEmpty(t, there.users())
	for i := range 3 {
		before := made()
		buy(30+8*i, 38+8*i)
		b.eventually("the next are being made", func() bool { return made() > before })
		here.kill()
		b.eventually("the other node makes the rest", func() bool { return made() == before+8 })
		here.start()
	}
	here.kill()
	for id := first; id < first+gone; id++ {
		b.One("subscription.revoke", A{"p_admin_id": boss, "p_telegram_id": id, "p_reason": "gone", "p_idempotency_key": "gone"})
	}
	b.eventually("removals wait for the node that is down, and for no other", func() bool {
		return b.count(`outbox.task t where t.name = 'remove' and t.finished_at is null
				and exists (select from vpn.placement p where p.vpn_uuid = t.vpn_uuid and p.node <> 'here')`) == 0 &&
			b.count("outbox.task where name = 'remove' and finished_at is null and last_error is not null") > 0
	})
	there.kill()
	buy(54, people)
	there.start()
	here.start()

	settled := func(one, other *vpnNode) func() bool {
		return func() bool {
			return b.count("outbox.task where kind = 'provision' and finished_at is null") == 0 &&
				len(b.ledTo(one))+len(b.ledTo(other)) == people-gone &&
				slices.Equal(one.users(), b.ledTo(one)) && slices.Equal(other.users(), b.ledTo(other))
		}
	}
	b.eventually("each key leads to the node that lets it in, and to no other", settled(here, there))
	require.Zero(t, b.count("subscription.subscription where activation = 'failed'"))
	require.Zero(t, b.count("ops.dead where job_name like 'vpn.%'"))
	require.Zero(t, b.count("outbox.task where kind = 'provision' and attempt > 1"), "a node that is down costs no attempt")

	ends := b.owner.Query("select telegram_id, expires_at from subscription.subscription order by telegram_id")
	moving := len(here.users())
	b.One("vpn.set_node", A{"p_admin_id": boss, "p_name": "here", "p_is_draining": true})
	told := b.count("outbox.task where name = 'key_ready'")
	there.kill()
	b.One("vpn.move_keys", A{"p_admin_id": boss, "p_name": "here", "p_limit": 1000})
	require.Len(t, here.users(), moving, "the old keys work on until the new ones are there")
	there.start()
	b.eventually("all are at the other node", func() bool { return settled(here, there)() && len(here.users()) == 0 })
	require.Equal(t, told+moving, b.count("outbox.task where name = 'key_ready'"), "and each who has moved is told, once")
	require.Equal(t, ends, b.owner.Query("select telegram_id, expires_at from subscription.subscription order by telegram_id"))
	worker.end()
	b.Reconciled()
}
