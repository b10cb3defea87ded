package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/vpn"
)

// nodesBundle is three nodes and the queue that they work for.
type nodesBundle struct {
	queue     *queue
	a, b, c   *node
	nodes     []vpn.Named
	registry  *prometheus.Registry
	log       bytes.Buffer
	provision Job
	sync      Job
}

func setupNodes(t *testing.T) *nodesBundle {
	t.Helper()
	n := &nodesBundle{queue: newQueue(), a: newNode(), b: newNode(), c: newNode(), registry: prometheus.NewRegistry()}
	n.nodes = []vpn.Named{{Name: "a", Node: n.a}, {Name: "b", Node: n.b}, {Name: "c", Node: n.c}}
	meter, err := NewNodeMeter(n.registry)
	require.NoError(t, err)
	n.provision = Provision(n.queue, n.nodes, obs.Discard())
	n.sync = SyncNodes(n.queue, n.nodes, slog.New(slog.NewTextHandler(&n.log, nil)), meter)
	return n
}

func (n *nodesBundle) run(t *testing.T, job Job) int {
	t.Helper()
	items, err := job(t.Context(), batch(false))
	require.NoError(t, err)
	return items
}

func want(uuid, node string, isPending bool) sqlapi.WantedUser {
	return sqlapi.WantedUser{UUID: uuid, Node: node, IsPending: isPending}
}

func TestNodesAreComparedWithWhatIsWanted(t *testing.T) {
	t.Parallel()
	n := setupNodes(t)
	n.queue.wanted = []sqlapi.WantedUser{
		want("at-a", "a", false), want("at-b", "b", false), want("pending", "", true), want("anywhere", "", false),
		want("homeless", "gone", false), want("again", "a", true),
	}
	n.a.users = map[string]bool{"at-b": true, "pending": true, "stranger": true}
	n.b.users = map[string]bool{"at-b": true, "anywhere": true, "homeless": true}
	require.Equal(t, 4+2+2, n.run(t, n.sync))
	require.Equal(t, []string{"again", "anywhere", "at-a", "homeless", "pending"}, n.a.has(), "strangers and those of others go")
	require.Equal(t, []string{"anywhere", "at-b", "homeless"}, n.b.has())
	require.Equal(t, []string{"anywhere", "homeless"}, n.c.has())
	require.Contains(t, n.log.String(), "node=a instance_id=one added=4 changed=0 removed=2")
	require.NotContains(t, n.log.String(), "stranger", "a uuid is a key")
	require.Zero(t, n.run(t, n.sync), "nothing is left to mend")

	n.b.users = map[string]bool{} // it was restarted
	require.Equal(t, 3, n.run(t, n.sync))
	require.Equal(t, []string{"anywhere", "at-b", "homeless"}, n.b.has())
	require.Equal(t, 9.0, n.mended(t, "added"))
	require.Equal(t, 2.0, n.mended(t, "removed"))
}

// mended is how many users of all nodes were mended in a way, by the metric.
func (n *nodesBundle) mended(t *testing.T, change string) float64 {
	t.Helper()
	families, err := n.registry.Gather()
	require.NoError(t, err)
	total := 0.0
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if family.GetName() == "atlas_vpn_node_mended_total" && label.GetValue() == change {
					total += metric.GetCounter().GetValue()
				}
			}
		}
	}
	return total
}

func TestANodesTroubleIsNoneOfTheOthers(t *testing.T) {
	t.Parallel()
	n := setupNodes(t)
	n.queue.wanted = []sqlapi.WantedUser{want("at-a", "a", false), want("at-b", "b", false)}
	n.a.down = fmt.Errorf("connection refused: %w", vpn.ErrDown)
	items, err := n.sync(t.Context(), batch(false))
	require.ErrorContains(t, err, "VPN node a: ")
	require.ErrorIs(t, err, vpn.ErrDown)
	require.Equal(t, 1, items)
	require.Equal(t, []string{"at-b"}, n.b.has())
	require.False(t, n.queue.report["a"].IsUp)
	require.Contains(t, n.queue.report["a"].Error, "refused")
	require.Nil(t, n.queue.report["a"].Users, "it did not say")
	require.True(t, n.queue.report["b"].IsUp)
	require.Empty(t, n.queue.report["b"].Error)
}

func TestARunThatIsCancelledSaysHowTheNodesAre(t *testing.T) {
	t.Parallel()
	n := setupNodes(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := n.sync(ctx, batch(false))
	require.NoError(t, err)
	require.Len(t, n.queue.report, len(n.nodes))
}

func TestNewKeysAreSharedAmongTheNodes(t *testing.T) {
	t.Parallel()
	n := setupNodes(t)
	const users = 300
	for id := range int64(users) {
		n.queue.add(id, atlas.VPNAdd, fmt.Sprint("user-", id))
	}
	n.run(t, n.provision)
	count := map[string]int{}
	for id := range int64(users) {
		require.Equal(t, "completed", n.queue.ended[id])
		count[n.queue.nodes[id]]++
	}
	for _, name := range []string{"a", "b", "c"} {
		require.Greater(t, count[name], users/6, "%v", count)
	}
	require.Len(t, n.a.has(), count["a"], "each at one node")
}

func TestADrainingNodeGetsNoNewKeysAndKeepsItsOwn(t *testing.T) {
	t.Parallel()
	n := setupNodes(t)
	n.queue.drains = []string{"a", "b"}
	for id := range int64(20) {
		n.queue.add(id, atlas.VPNAdd, fmt.Sprint("user-", id))
	}
	n.queue.add(20, atlas.VPNAdd, "renewed")
	n.queue.jobs[20].Node = "a"
	n.queue.add(21, atlas.VPNRemove, "expired")
	n.queue.jobs[21].Node = "b"
	n.b.users["expired"] = true
	n.run(t, n.provision)
	require.Len(t, n.c.has(), 20)
	require.Equal(t, []string{"renewed"}, n.a.has())
	require.Equal(t, "a", n.queue.nodes[20], "the key leads where it led")
	require.Empty(t, n.b.has())

	n.queue.drains = []string{"a", "b", "c"}
	n.queue.add(22, atlas.VPNAdd, "new")
	n.run(t, n.provision)
	require.Equal(t, "released", n.queue.ended[22], "no fault of the user's")
}

func TestANewKeyIsMadeElsewhereWhileItsNodeIsDown(t *testing.T) {
	t.Parallel()
	n := setupNodes(t)
	n.a.down, n.b.down = vpn.ErrDown, vpn.ErrDown
	for id := range int64(10) {
		n.queue.add(id, atlas.VPNAdd, fmt.Sprint("user-", id))
	}
	for _, uuid := range []string{"user-0", "user-1", "user-2", "user-3", "user-4", "user-5", "user-6", "user-7", "user-8", "user-9"} {
		n.a.calls[uuid], n.b.calls[uuid] = vpn.ErrDown, vpn.ErrDown
	}
	n.queue.add(10, atlas.VPNAdd, "renewed")
	n.queue.jobs[10].Node = "a"
	n.a.calls["renewed"] = vpn.ErrDown
	n.run(t, n.provision)
	require.Len(t, n.c.has(), 10)
	for id := range int64(10) {
		require.Equal(t, "c", n.queue.nodes[id])
	}
	require.Equal(t, "released", n.queue.ended[10], "whoever has a key keeps it, and the job waits for its node")

	n.c.setDown(vpn.ErrDown)
	n.queue.add(11, atlas.VPNAdd, "late")
	require.Zero(t, n.run(t, n.provision), "nothing is claimed while all are down")
	require.Len(t, n.queue.jobs, 1)
}

func TestARefusalIsNotTakenToAnotherNode(t *testing.T) {
	t.Parallel()
	n := setupNodes(t)
	n.queue.add(1, atlas.VPNAdd, "poisoned")
	first := fleet(n.nodes).candidates("poisoned", nil)[0]
	first.Node.(*node).calls["poisoned"] = errors.New("no")
	n.queue.add(2, atlas.VPNAdd, "fine")
	n.run(t, n.provision)
	require.Equal(t, "failed: adding a user: VPN node "+first.Name+": no", n.queue.ended[1], "an attempt, at one node")
	require.Equal(t, "completed", n.queue.ended[2])
}

func TestARemovalThatIsNobodysIsToldToAllNodes(t *testing.T) {
	t.Parallel()
	n := setupNodes(t)
	n.a.users["left"], n.b.users["left"] = true, true
	n.c.calls["left"] = vpn.ErrDown
	n.queue.add(1, atlas.VPNRemove, "left")
	n.run(t, n.provision)
	require.Empty(t, n.a.has())
	require.Empty(t, n.b.has())
	require.Equal(t, "completed", n.queue.ended[1], "a node that was down is compared when it is back")

	n.queue.add(2, atlas.VPNRemove, "homed")
	n.queue.jobs[0].Node = "c"
	n.c.calls["homed"] = vpn.ErrDown
	n.run(t, n.provision)
	require.Equal(t, "released", n.queue.ended[2], "it waits for the node that has the user")
}

// silentNode answers no question until the context ends.
type silentNode struct{ *node }

func (silentNode) Health(ctx context.Context) (vpn.Health, error) {
	<-ctx.Done()
	return vpn.Health{}, ctx.Err()
}

func TestASilentNodeHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	n := newNode()
	nodes := fleet{{Name: "silent", Node: silentNode{newNode()}}, {Name: "well", Node: n}}
	require.NoError(t, nodes.firstAnswer(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, nodes[:1].firstAnswer(ctx))
	err := EveryNode(ctx, nodes)
	require.ErrorContains(t, err, "VPN node silent: ")
	require.NotContains(t, err.Error(), "well")
}
