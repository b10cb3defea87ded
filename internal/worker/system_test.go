package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/config"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/vpn"
	"atlas-secure/internal/worker"
	"atlas-secure/tests/harness"
)

const (
	admin  atlas.TelegramID = 1
	soon                    = 3 * time.Minute
	people                  = 10
)

// node holds users in memory and can be down, refuse somebody, or die when it has added somebody.
type node struct {
	mu    sync.Mutex
	down  bool
	users map[string]bool
	onAdd func(uuid string) error // after the user was added
}

func newNode() *node { return &node{users: map[string]bool{}} }

func (n *node) Add(_ context.Context, user atlas.VPNUser) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down {
		return "", vpn.ErrDown
	}
	n.users[user.UUID] = true
	if n.onAdd != nil {
		if err := n.onAdd(user.UUID); err != nil {
			return "", err
		}
	}
	return "vless://" + user.UUID, nil
}

func (n *node) Remove(_ context.Context, uuid string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down {
		return vpn.ErrDown
	}
	delete(n.users, uuid)
	return nil
}

func (n *node) Set(ctx context.Context, wanted func(context.Context) (vpn.Wanted, error)) (vpn.Changes, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down {
		return vpn.Changes{}, vpn.ErrDown
	}
	list, err := wanted(ctx)
	if err != nil {
		return vpn.Changes{}, err
	}
	changes := vpn.Changes{Removed: len(n.users)}
	had := n.users
	n.users = map[string]bool{}
	for _, user := range list.Users {
		n.users[user.UUID] = true
		if had[user.UUID] {
			changes.Removed--
		} else {
			changes.Added++
		}
	}
	for uuid := range list.Spared {
		if had[uuid] {
			n.users[uuid] = true
			changes.Removed--
		}
	}
	return changes, nil
}

func (n *node) Health(context.Context) (vpn.Health, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down {
		return vpn.Health{}, vpn.ErrDown
	}
	return vpn.Health{InstanceID: "one", Users: len(n.users)}, nil
}

func (n *node) setDown(isDown bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = isDown
}

// mailbox takes messages.
type mailbox struct {
	mu   sync.Mutex
	keys map[atlas.TelegramID][]string
	ids  map[atlas.TelegramID]string
}

func (m *mailbox) Deliver(ctx context.Context, message sqlapi.Message) error {
	if message.Template != "key_ready" {
		return nil
	}
	var arguments struct {
		KeyURI string `json:"key_uri"`
	}
	if err := json.Unmarshal(message.Arguments, &arguments); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys[message.TelegramID] = append(m.keys[message.TelegramID], arguments.KeyURI)
	m.ids[message.TelegramID] = obs.CorrelationID(ctx)
	return nil
}

func (m *mailbox) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.keys)
}

type systemBundle struct {
	*harness.Bundle

	db, dba *sqlapi.DB
	node    *node
	nodes   []vpn.Named
	mail    *mailbox
}

func setupSystem(t *testing.T) *systemBundle {
	t.Helper()
	s := &systemBundle{
		Bundle: harness.New(t),
		node:   newNode(),
		mail:   &mailbox{keys: map[atlas.TelegramID][]string{}, ids: map[atlas.TelegramID]string{}},
	}
	s.nodes = []vpn.Named{{Name: "one", Node: s.node}}
	s.db, s.dba = s.open(t, harness.WorkerLogin), s.open(t, harness.DBALogin)
	_, err := s.dba.Account.Register(t.Context(), sqlapi.RegisterParams{TelegramID: admin})
	require.NoError(t, err)
	_, err = s.dba.Account.GrantAdmin(t.Context(), admin, "first admin")
	require.NoError(t, err)
	return s
}

func (s *systemBundle) open(t *testing.T, role harness.Role) *sqlapi.DB {
	t.Helper()
	db, err := sqlapi.Open(t.Context(), sqlapi.Config{URL: config.NewSecret(s.DSN(role)), PoolSize: 8})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

// worker starts a worker; the function that it returns stops it and waits.
func (s *systemBundle) worker(t *testing.T) func() {
	t.Helper()
	registry := prometheus.NewRegistry()
	meter, err := worker.NewMeter(registry)
	require.NoError(t, err)
	nodeMeter, err := worker.NewNodeMeter(registry)
	require.NoError(t, err)
	log := obs.Discard()
	w := worker.New(s.db.Ops, map[string]worker.Job{
		"vpn.provision":      worker.Provision(s.db.VPN, s.nodes, log),
		"vpn.sync_nodes":     worker.SyncNodes(s.db.VPN, s.nodes, log, nodeMeter),
		"notify.send":        worker.Notify(s.db.Notify, s.mail, log),
		"billing.expire_due": worker.Due(s.db.Billing.ExpireDue),
		"ops.purge_due":      worker.Due(s.db.Ops.PurgeDue),
	}, worker.Holder(), nil, log, meter)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	halt := sync.OnceFunc(func() {
		stop()
		require.NoError(t, <-done)
	})
	t.Cleanup(halt)
	return halt
}

// buy has a new person buy a month from a balance that an admin gave.
func (s *systemBundle) buy(t *testing.T, person atlas.TelegramID) {
	t.Helper()
	ctx := obs.WithCorrelationID(t.Context(), fmt.Sprintf("u%d", person))
	_, err := s.dba.Account.Register(ctx, sqlapi.RegisterParams{TelegramID: person})
	require.NoError(t, err)
	_, err = s.dba.Wallet.Credit(ctx, sqlapi.AdjustParams{TelegramID: person, Amount: 20000, AdminID: admin, Note: "gift", Key: "gift"})
	require.NoError(t, err)
	opened, err := s.dba.Billing.OpenPurchase(ctx, sqlapi.OpenPurchaseParams{
		TelegramID: person, Plan: atlas.Plan{Tariff: atlas.Basic, Months: 1}, Key: "open",
	})
	require.NoError(t, err)
	_, err = s.dba.Billing.PayFromBalance(ctx, person, opened.PurchaseID)
	require.NoError(t, err)
}

func TestTwoWorkersBringEveryKeyOnce(t *testing.T) {
	t.Parallel()
	s := setupSystem(t)
	s.worker(t)
	s.worker(t)
	for person := range atlas.TelegramID(people) {
		s.buy(t, 100+person)
	}
	require.Eventually(t, func() bool { return s.mail.count() == people }, soon, 20*time.Millisecond)
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	for person, keys := range s.mail.keys {
		require.Len(t, keys, 1)
		current, err := s.dba.Subscription.Current(t.Context(), person)
		require.NoError(t, err)
		require.Equal(t, atlas.ActivationDone, current.Activation)
		require.Equal(t, keys[0], current.KeyURI.Reveal())
		require.Equal(t, fmt.Sprintf("u%d", person), s.mail.ids[person], "from the update to the message")
	}
}

func TestAnOutageOfTheNodeCostsNoAttempt(t *testing.T) {
	t.Parallel()
	s := setupSystem(t)
	s.node.setDown(true)
	s.worker(t)
	s.buy(t, 100)
	require.Eventually(t, func() bool { return s.job(t, "vpn.sync_nodes").ConsecutiveFailures > 0 }, soon, 20*time.Millisecond,
		"the outage is to be seen in ops.job")
	require.Zero(t, s.mail.count())
	s.node.setDown(false)
	require.Eventually(t, func() bool { return s.mail.count() == 1 }, soon, 20*time.Millisecond)
	var attempt int
	require.NoError(t, s.Owner.QueryRow(t.Context(),
		"select attempt from outbox.task where kind = 'provision' and telegram_id = 100").Scan(&attempt))
	require.Equal(t, 1, attempt)
}

func TestAWorkerThatStopsLeavesItsLeadershipToAnother(t *testing.T) {
	t.Parallel()
	s := setupSystem(t)
	stop := s.worker(t)
	require.Eventually(t, func() bool { return s.job(t, "billing.expire_due").LastStartedAt != nil }, soon, 20*time.Millisecond)
	stop()
	before := *s.job(t, "billing.expire_due").LastStartedAt
	var held int
	require.NoError(t, s.Owner.QueryRow(t.Context(),
		"select count(*) from ops.lease where expires_at > core.now()").Scan(&held))
	require.Zero(t, held, "a lease itself would last 30 seconds")
	s.worker(t)
	require.Eventually(t, func() bool { return s.job(t, "billing.expire_due").LastStartedAt.After(before) }, soon,
		20*time.Millisecond)
}

func TestAJobCanBeSwitchedOffWithSQL(t *testing.T) {
	t.Parallel()
	s := setupSystem(t)
	_, err := s.Owner.Exec(t.Context(), "update ops.scheduled_job set is_enabled = false where name = 'vpn.provision'")
	require.NoError(t, err)
	s.worker(t)
	s.buy(t, 100)
	require.Eventually(t, func() bool { return s.job(t, "billing.expire_due").LastStartedAt != nil }, soon, 20*time.Millisecond)
	require.Nil(t, s.job(t, "vpn.provision").LastStartedAt)
	_, err = s.Owner.Exec(t.Context(), "update ops.scheduled_job set is_enabled = true where name = 'vpn.provision'")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.mail.count() == 1 }, soon, 20*time.Millisecond)
}

func (s *systemBundle) job(t *testing.T, name string) sqlapi.Job {
	t.Helper()
	jobs, err := s.db.Ops.Jobs(t.Context())
	require.NoError(t, err)
	for _, job := range jobs {
		if job.Name == name {
			return job
		}
	}
	require.NoError(t, errors.New("no such job: "+name))
	return sqlapi.Job{}
}
