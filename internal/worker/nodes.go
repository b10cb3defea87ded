package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/vpn"
)

// WantedUsers is what the reconciling job needs of schema vpn.
type WantedUsers interface {
	WantedUsers(ctx context.Context) ([]sqlapi.WantedUser, error)
	ReportNode(ctx context.Context, report sqlapi.NodeReport) error
}

// SyncNodes compares the users of each node with those that it should let in and mends the difference, both ways: a node
// may have forgotten its users when it started, missed a removal, or been given a user by a worker that died before it could
// say so. Its items are the users that were not as wanted. One node's trouble is none of the others'.
func SyncNodes(wanted WantedUsers, nodes []vpn.Named, log *slog.Logger, meter *NodeMeter) Job {
	s := &syncer{wanted: wanted, nodes: nodes, log: log, meter: meter}
	return s.work
}

type syncer struct {
	wanted WantedUsers
	nodes  []vpn.Named
	log    *slog.Logger
	meter  *NodeMeter
}

const setTimeout = 25 * time.Second

func (s *syncer) work(ctx context.Context, _ Batch) (int, error) {
	mended := make([]int, len(s.nodes))
	failures := make([]error, len(s.nodes))
	group := errgroup.Group{}
	for i, node := range s.nodes {
		group.Go(func() error {
			mended[i], failures[i] = s.one(ctx, node)
			return nil
		})
	}
	_ = group.Wait()
	items := 0
	for _, n := range mended {
		items += n
	}
	return items, errors.Join(failures...)
}

// one reconciles a node and reports how it is.
func (s *syncer) one(ctx context.Context, node vpn.Named) (int, error) {
	start := time.Now()
	report := sqlapi.NodeReport{Name: node.Name}
	var changes vpn.Changes
	health, err := s.health(ctx, node)
	if err == nil {
		report.IsUp, report.Users = true, &health.Users
		setCtx, cancel := context.WithTimeout(ctx, setTimeout)
		changes, err = node.Set(setCtx, func(ctx context.Context) (vpn.Wanted, error) { return s.wantedAt(ctx, node.Name) })
		cancel()
	}
	s.meter.observe(node.Name, report, changes)
	if changes.Total() > 0 {
		s.log.InfoContext(ctx, "the users of a VPN node were mended", obs.Operation("vpn.sync_nodes"), obs.Took(start),
			slog.String("node", node.Name), slog.String("instance_id", health.InstanceID), slog.Int("added", changes.Added),
			slog.Int("changed", changes.Changed), slog.Int("removed", changes.Removed))
	}
	if err != nil {
		err = fmt.Errorf("VPN node %s: %w", node.Name, err)
		report.Error = err.Error()
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	return changes.Total(), errors.Join(err, s.wanted.ReportNode(last, report))
}

func (s *syncer) health(ctx context.Context, node vpn.Named) (vpn.Health, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	return node.Health(ctx)
}

// wantedAt reads whom a node should let in. A user whose key leads to another node is a stranger; one whose key leads
// nowhere yet is let be, because a worker may have just brought the user there; and one who has a key that nobody knows
// the place of belongs everywhere. So do those whose node is no longer in the configuration.
func (s *syncer) wantedAt(ctx context.Context, name string) (vpn.Wanted, error) {
	users, err := s.wanted.WantedUsers(ctx)
	if err != nil {
		return vpn.Wanted{}, fmt.Errorf("reading the wanted users: %w", err)
	}
	wanted := vpn.Wanted{Users: make([]atlas.VPNUser, 0, len(users)), Spared: map[string]bool{}}
	for _, user := range users {
		_, isElsewhere := named(s.nodes, user.Node)
		switch {
		case user.Node == name, user.Node == "" && !user.IsPending, user.Node != "" && !isElsewhere:
			wanted.Users = append(wanted.Users, user.VPNUser())
		case user.Node == "":
			wanted.Spared[user.UUID] = true
		}
	}
	return wanted, nil
}

// named finds a node of the configuration.
func named(nodes []vpn.Named, name string) (vpn.Named, bool) {
	for _, node := range nodes {
		if node.Name == name {
			return node, true
		}
	}
	return vpn.Named{}, false
}

// NodeMeter shows how the VPN nodes are and what had to be mended at them.
type NodeMeter struct {
	up     *prometheus.GaugeVec
	users  *prometheus.GaugeVec
	mended *prometheus.CounterVec
}

// NewNodeMeter registers the metrics of VPN nodes.
func NewNodeMeter(registerer prometheus.Registerer) (*NodeMeter, error) {
	m := &NodeMeter{
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "atlas_vpn_node_up", Help: "Whether a VPN node answered when it was compared last.",
		}, []string{"node"}),
		users: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "atlas_vpn_node_users", Help: "Users that a VPN node counted, before it was mended.",
		}, []string{"node"}),
		mended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "atlas_vpn_node_mended_total", Help: "Users of a VPN node that were not as wanted.",
		}, []string{"node", "change"}),
	}
	for _, collector := range []prometheus.Collector{m.up, m.users, m.mended} {
		if err := registerer.Register(collector); err != nil {
			return nil, fmt.Errorf("metrics of VPN nodes: %w", err)
		}
	}
	return m, nil
}

func (m *NodeMeter) observe(node string, report sqlapi.NodeReport, changes vpn.Changes) {
	isUp := 0.0
	if report.IsUp {
		isUp = 1
		m.users.WithLabelValues(node).Set(float64(*report.Users))
	}
	m.up.WithLabelValues(node).Set(isUp)
	m.mended.WithLabelValues(node, "added").Add(float64(changes.Added))
	m.mended.WithLabelValues(node, "changed").Add(float64(changes.Changed))
	m.mended.WithLabelValues(node, "removed").Add(float64(changes.Removed))
}
