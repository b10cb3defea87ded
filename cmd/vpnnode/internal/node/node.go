// Package node runs a VLESS + REALITY + vision server: an Xray core in this process, with the gate in front of its
// dispatcher and the egress as its way out. Users come and go while it runs.
package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/xtls/xray-core/core"
	"github.com/xtls/xray-core/features/inbound"
	"github.com/xtls/xray-core/features/stats"
	"github.com/xtls/xray-core/proxy"

	"atlas-secure/vpnnode/internal/egress"
	"atlas-secure/vpnnode/internal/gate"
	"atlas-secure/vpnnode/internal/link"
	"atlas-secure/vpnnode/internal/state"
	"atlas-secure/vpnnode/internal/target"
)

// LinkName is what VPN clients show for the key.
const LinkName = "Atlas Secure"

// Config is what a node needs to know.
type Config struct {
	ListenHost    string // an IP address
	ListenPort    uint16 // 0: a free one, the same after every restart
	PublicHost    string // what links name
	PublicPort    uint16 // 0: the port it listens on
	RealityTarget string // host:port of a TLS 1.3 site; empty: one of our own on loopback
	ServerName    string // the name in the TLS greeting; the target must have a certificate for it
	AllowClosed   bool   // let customers reach loopback and private addresses: tests and the sandbox only
	StateDir      string
}

// Node is safe for use from many goroutines.
type Node struct {
	core       *core.Instance
	gate       *gate.Gate
	target     *target.Server // nil when the target is a real site
	userList   proxy.UserManager
	stats      stats.Manager
	template   link.Link // a link but for the user
	instanceID string
	startedAt  time.Time

	changes  sync.Mutex // one change of the list of users at a time
	revision uint64     // guarded by changes
	retired  Traffic    // of users who are gone; guarded by changes
}

// Start brings the node up without users.
func Start(ctx context.Context, cfg Config, logger *slog.Logger) (_ *Node, err error) {
	keys, err := state.Open(cfg.StateDir)
	if err != nil {
		return nil, err
	}
	port, err := choosePort(ctx, cfg, keys)
	if err != nil {
		return nil, err
	}
	n := &Node{gate: gate.New(), startedAt: time.Now().UTC()}
	if n.instanceID, err = newInstanceID(); err != nil {
		return nil, err
	}
	realityTarget := cfg.RealityTarget
	if realityTarget == "" {
		if n.target, err = target.Start(ctx, cfg.ServerName); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, n.target.Close())
			}
		}()
		realityTarget = n.target.Addr()
		logger.Warn("no REALITY target is configured: hiding behind a target of our own, which fools nobody",
			"operation", "start", "target", realityTarget)
	}
	closed, err := closedNetworks(cfg, logger)
	if err != nil {
		return nil, err
	}
	if err := n.startCore(ctx, coreParams{
		listenHost: cfg.ListenHost, listenPort: port, target: realityTarget, serverName: cfg.ServerName,
		privateKey: keys.PrivateKey(), shortIDs: keys.ShortIDs, closed: closed,
	}); err != nil {
		return nil, err
	}
	n.template = link.Link{
		Host: cfg.PublicHost, Port: cfg.PublicPort, ServerName: cfg.ServerName, PublicKey: keys.PublicKey(),
		ShortID: keys.ShortIDs[0], Name: LinkName,
	}
	if n.template.Port == 0 {
		n.template.Port = port
	}
	if n.target != nil {
		awaitDetection(ctx, realityTarget, cfg.ServerName)
	}
	return n, nil
}

func closedNetworks(cfg Config, logger *slog.Logger) ([]netip.Prefix, error) {
	if cfg.AllowClosed {
		logger.Warn("customers can reach loopback and private addresses of this machine: for tests and the sandbox only",
			"operation", "start")
		return nil, nil
	}
	return egress.ClosedNetworks()
}

func (n *Node) startCore(ctx context.Context, params coreParams) error {
	// The core outlives the start: it is stopped by Close.
	instance, err := core.NewWithContext(gate.NewContext(context.WithoutCancel(ctx), n.gate), coreConfig(params))
	if err != nil {
		return fmt.Errorf("configure Xray: %w", err)
	}
	if err := instance.Start(); err != nil {
		return fmt.Errorf("start Xray: %w", errors.Join(err, instance.Close()))
	}
	n.core = instance
	// Xray finds its parts by type and answers with any.
	handler, err := instance.GetFeature(inbound.ManagerType()).(inbound.Manager).GetHandler(ctx, inboundTag) //nolint:forcetypeassert // asked for by type
	if err != nil {
		return fmt.Errorf("find the inbound: %w", errors.Join(err, instance.Close()))
	}
	n.userList = handler.(proxy.GetInbound).GetInbound().(proxy.UserManager) //nolint:forcetypeassert // a VLESS inbound, see coreConfig
	n.stats = instance.GetFeature(stats.ManagerType()).(stats.Manager)       //nolint:forcetypeassert // asked for by type
	return nil
}

// Close lets nobody in any more, closes every connection and stops the core. What has not ended when ctx is done is
// left behind, with an error.
func (n *Node) Close(ctx context.Context) error {
	err := n.gate.Close(ctx)
	err = errors.Join(err, n.core.Close())
	if n.target != nil {
		err = errors.Join(err, n.target.Close())
	}
	return err
}

// InstanceID changes with every start; a node with a new one has forgotten its users.
func (n *Node) InstanceID() string { return n.instanceID }

// StartedAt is when this instance was started, in UTC.
func (n *Node) StartedAt() time.Time { return n.startedAt }

// Address is where clients connect to, as the links name it.
func (n *Node) Address() string {
	return n.template.Host + ":" + strconv.Itoa(int(n.template.Port))
}

// Link is the key of a user, whether or not the user is on the list.
func (n *Node) Link(userID string) string {
	l := n.template
	l.UserID = userID
	return l.String()
}

func newInstanceID() (string, error) {
	raw := make([]byte, 8)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("make the instance id: %w", err)
	}
	return hex.EncodeToString(raw), nil
}
