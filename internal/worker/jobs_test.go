package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/vpn"
)

// node is a VPN node whose calls end as told.
type node struct {
	mu      sync.Mutex
	health  vpn.Health
	down    error
	calls   map[string]error // by uuid
	users   map[string]bool
	ctxSeen []string
}

func (n *node) Add(ctx context.Context, user atlas.VPNUser) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ctxSeen = append(n.ctxSeen, obs.CorrelationID(ctx))
	if err := n.calls[user.UUID]; err != nil {
		return "", err
	}
	n.users[user.UUID] = true
	return "vless://" + user.UUID, nil
}

func (n *node) Remove(_ context.Context, uuid string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.users, uuid)
	return n.calls[uuid]
}

func (n *node) Set(ctx context.Context, wanted func(context.Context) (vpn.Wanted, error)) (vpn.Changes, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	list, err := wanted(ctx)
	if err != nil || n.down != nil {
		return vpn.Changes{}, errors.Join(err, n.down)
	}
	var changes vpn.Changes
	stays := map[string]bool{}
	for _, user := range list.Users {
		stays[user.UUID] = true
		if !n.users[user.UUID] {
			n.users[user.UUID] = true
			changes.Added++
		}
	}
	for uuid := range n.users {
		if !stays[uuid] && !list.Spared[uuid] {
			delete(n.users, uuid)
			changes.Removed++
		}
	}
	return changes, nil
}

func (n *node) Health(context.Context) (vpn.Health, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.health, n.down
}

func (n *node) setDown(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = err
}

func (n *node) has() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Sorted(maps.Keys(n.users))
}

// only is the configuration with one node.
func only(n *node) []vpn.Named { return []vpn.Named{{Name: "one", Node: n}} }

// queue is schema vpn: jobs to hand out, and what became of them.
type queue struct {
	mu     sync.Mutex
	jobs   []sqlapi.ProvisioningJob
	ended  map[int64]string
	keys   map[int64]atlas.KeyURI
	nodes  map[int64]string
	lost   bool
	wanted []sqlapi.WantedUser
	drains []string
	report map[string]sqlapi.NodeReport
}

func (q *queue) ClaimJobs(context.Context, string, int, time.Duration) ([]sqlapi.ProvisioningJob, error) {
	jobs := q.jobs
	q.jobs = nil
	return jobs, nil
}

func (q *queue) end(id int64, how string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lost {
		return fmt.Errorf("vpn.%s: %w", how, atlas.ErrLeaseLost)
	}
	q.ended[id] = how
	return nil
}

func (q *queue) CompleteJob(_ context.Context, job sqlapi.ProvisioningJob, key atlas.KeyURI, node string) (sqlapi.CompletedJob, error) {
	err := q.end(job.JobID, "completed")
	q.mu.Lock()
	defer q.mu.Unlock()
	q.keys[job.JobID], q.nodes[job.JobID] = key, node
	return sqlapi.CompletedJob{}, err
}

func (q *queue) FailJob(_ context.Context, job sqlapi.ProvisioningJob, reason string) (sqlapi.FailedJob, error) {
	return sqlapi.FailedJob{}, q.end(job.JobID, "failed: "+reason)
}

func (q *queue) ReleaseJob(_ context.Context, job sqlapi.ProvisioningJob, _ string) error {
	return q.end(job.JobID, "released")
}

func (q *queue) DrainingNodes(context.Context) ([]string, error) { return q.drains, nil }

func (q *queue) WantedUsers(context.Context) ([]sqlapi.WantedUser, error) { return q.wanted, nil }

func (q *queue) ReportNode(ctx context.Context, report sqlapi.NodeReport) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.report[report.Name] = report
	return nil
}

func (q *queue) add(id int64, action atlas.VPNAction, uuid string) {
	q.jobs = append(q.jobs, sqlapi.ProvisioningJob{
		JobID: id, TelegramID: 1, Action: action, VPNUUID: uuid, DeviceLimit: 3, Attempt: 1, CorrelationID: "u" + uuid,
	})
}

func newQueue() *queue {
	return &queue{ended: map[int64]string{}, keys: map[int64]atlas.KeyURI{}, nodes: map[int64]string{},
		report: map[string]sqlapi.NodeReport{}}
}

func newNode() *node {
	return &node{health: vpn.Health{InstanceID: "one"}, calls: map[string]error{}, users: map[string]bool{}}
}

func batch(isStopping bool) Batch {
	return Batch{Holder: "h", Limit: 10, IsStopping: func() bool { return isStopping }}
}

func TestProvisioning(t *testing.T) {
	t.Parallel()
	q, n := newQueue(), newNode()
	q.add(1, atlas.VPNAdd, "a")
	q.add(2, atlas.VPNRemove, "b")
	q.add(3, atlas.VPNAdd, "c")
	q.add(4, atlas.VPNAdd, "d")
	q.add(5, "dance", "e")
	n.calls["c"] = errors.New("bad uuid")
	n.calls["d"] = fmt.Errorf("connection refused: %w", vpn.ErrDown)

	items, err := Provision(q, only(n), obs.Discard())(t.Context(), batch(false))
	require.NoError(t, err)
	require.Equal(t, 5, items)
	require.Equal(t, "completed", q.ended[1])
	require.Equal(t, "vless://a", q.keys[1].Reveal())
	require.Equal(t, "completed", q.ended[2])
	require.Empty(t, q.keys[2].Reveal())
	require.Equal(t, "failed: adding a user: VPN node one: bad uuid", q.ended[3], "costs an attempt")
	require.Equal(t, "released", q.ended[4], "costs none")
	require.Equal(t, `failed: unknown action "dance"`, q.ended[5])
	require.Contains(t, n.ctxSeen, "ua", "the job's own correlation id")
}

func TestNothingIsClaimedWhileTheNodeIsDown(t *testing.T) {
	t.Parallel()
	q, n := newQueue(), newNode()
	q.add(1, atlas.VPNAdd, "a")
	n.down = vpn.ErrDown
	provision := Provision(q, only(n), obs.Discard())
	for range 2 {
		items, err := provision(t.Context(), batch(false))
		require.NoError(t, err)
		require.Zero(t, items)
		require.Len(t, q.jobs, 1, "still in the queue")
	}
	n.down = nil
	items, err := provision(t.Context(), batch(false))
	require.NoError(t, err)
	require.Equal(t, 1, items)
}

func TestJobsNotBegunAreGivenBackWhenStopping(t *testing.T) {
	t.Parallel()
	q, n := newQueue(), newNode()
	q.add(1, atlas.VPNAdd, "a")
	_, err := Provision(q, only(n), obs.Discard())(t.Context(), batch(true))
	require.NoError(t, err)
	require.Equal(t, "released", q.ended[1])
	require.Empty(t, n.users)
}

func TestALostLeaseIsNoFailure(t *testing.T) {
	t.Parallel()
	q, n := newQueue(), newNode()
	q.lost = true
	q.add(1, atlas.VPNAdd, "a")
	_, err := Provision(q, only(n), obs.Discard())(t.Context(), batch(false))
	require.NoError(t, err)
}

// outbox is schema notify.
type outbox struct {
	mu       sync.Mutex
	messages []sqlapi.Message
	ended    map[int64]string
}

func (o *outbox) Claim(context.Context, string, int, time.Duration) ([]sqlapi.Message, error) {
	return o.messages, nil
}

func (o *outbox) Sent(_ context.Context, message sqlapi.Message) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended[message.MessageID] = "sent"
	return true, nil
}

func (o *outbox) Failed(_ context.Context, message sqlapi.Message, reason string, isUnreachable bool) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended[message.MessageID] = fmt.Sprintf("failed: %s %v", reason, isUnreachable)
	return true, nil
}

func (o *outbox) Release(_ context.Context, message sqlapi.Message, reason string, wait time.Duration) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended[message.MessageID] = fmt.Sprintf("released: %s %s", reason, wait)
	return true, nil
}

type messenger func(ctx context.Context, message sqlapi.Message) error

func (m messenger) Deliver(ctx context.Context, message sqlapi.Message) error { return m(ctx, message) }

type refusal struct{ isUnreachable bool }

func (refusal) Error() string         { return "refused" }
func (r refusal) IsUnreachable() bool { return r.isUnreachable }

type later struct {
	refusal

	wait time.Duration
}

func (l later) Wait() time.Duration { return l.wait }

func TestMessagesEndAsTheyWent(t *testing.T) {
	t.Parallel()
	o := &outbox{ended: map[int64]string{}}
	for id := range int64(5) {
		o.messages = append(o.messages, sqlapi.Message{MessageID: id, CorrelationID: fmt.Sprintf("u%d", id)})
	}
	send := messenger(func(ctx context.Context, message sqlapi.Message) error {
		assert.Equal(t, message.CorrelationID, obs.CorrelationID(ctx))
		_, hasDeadline := ctx.Deadline()
		assert.True(t, hasDeadline)
		return []error{
			nil, fmt.Errorf("send: %w", refusal{isUnreachable: true}), refusal{}, later{wait: time.Minute}, errors.New("timeout"),
		}[message.MessageID]
	})
	items, err := Notify(o, send, obs.Discard())(t.Context(), batch(false))
	require.NoError(t, err)
	require.Equal(t, 4, items, "what is given back is no work done")
	require.Equal(t, map[int64]string{0: "sent", 1: "failed: send: refused true", 2: "failed: refused false", 3: "released: refused 1m0s"}, o.ended,
		"nobody knows about the last one, so that nothing is written")
}

func TestMessagesNotBegunAreGivenBackWhenStopping(t *testing.T) {
	t.Parallel()
	o := &outbox{ended: map[int64]string{}, messages: []sqlapi.Message{{MessageID: 1}}}
	send := messenger(func(context.Context, sqlapi.Message) error { panic("must not send") })
	_, err := Notify(o, send, obs.Discard())(t.Context(), batch(true))
	require.NoError(t, err)
	require.Equal(t, map[int64]string{1: "released: the worker is stopping 0s"}, o.ended)
}

type sealer struct {
	seal sqlapi.Seal
	err  error
}

func (s sealer) Seal(context.Context, int) (sqlapi.Seal, error) { return s.seal, s.err }

func TestTheHeadOfTheSealIsLogged(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	items, err := Seal(sealer{seal: sqlapi.Seal{Sealed: 3, SealedRows: 10, Head: "abcd"}}, log)(t.Context(), batch(false))
	require.NoError(t, err)
	require.Equal(t, 3, items)
	require.Contains(t, out.String(), "AUDIT_SEALED")
	require.Contains(t, out.String(), "sealed_rows=10 head=abcd")

	out.Reset()
	items, err = Seal(sealer{seal: sqlapi.Seal{SealedRows: 10, Head: "abcd"}}, log)(t.Context(), batch(false))
	require.NoError(t, err)
	require.Zero(t, items)
	require.Empty(t, out.String(), "nothing new, nothing to log")
	_, err = Seal(sealer{err: errors.New("away")}, log)(t.Context(), batch(false))
	require.ErrorContains(t, err, "away")
}

func TestDueJobsAreFencedByTheEpoch(t *testing.T) {
	t.Parallel()
	epoch := int64(7)
	items, err := Due(func(_ context.Context, got *int64, limit int) (int, error) {
		require.Equal(t, &epoch, got)
		return limit, nil
	})(t.Context(), Batch{Epoch: &epoch, Limit: 3})
	require.NoError(t, err)
	require.Equal(t, 3, items)
}
