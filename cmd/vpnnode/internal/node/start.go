package node

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/xtls/reality"

	"atlas-secure/vpnnode/internal/state"
)

// detectionPatience bounds the wait for what is a matter of milliseconds with a target on loopback.
const detectionPatience = 2 * time.Second

// choosePort makes sure that nobody listens on the port. Xray would not notice another node of the same operating system
// user: it shares its port (SO_REUSEPORT), and the kernel would deal the customers out to both. Port 0 becomes a free one,
// once: the links that were given out name it, so it is kept with the keys.
func choosePort(ctx context.Context, cfg Config, keys *state.State) (uint16, error) {
	wanted := cmp.Or(cfg.ListenPort, keys.Port)
	address := net.JoinHostPort(cfg.ListenHost, strconv.Itoa(int(wanted)))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return 0, fmt.Errorf("listen for VPN clients: %w", err)
	}
	port := uint16(listener.Addr().(*net.TCPAddr).Port) //nolint:gosec,forcetypeassert // a TCP port
	if err := listener.Close(); err != nil {
		return 0, fmt.Errorf("listen for VPN clients: %w", err)
	}
	if wanted != 0 {
		return port, nil
	}
	keys.Port = port
	return port, keys.Save(cfg.StateDir)
}

// awaitDetection waits until REALITY has learnt what its target sends after a handshake. A client that comes earlier is
// held up for five seconds.
func awaitDetection(ctx context.Context, target, serverName string) {
	ctx, cancel := context.WithTimeout(ctx, detectionPatience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !isDetected(target, serverName) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// isDetected looks at REALITY's own table, which has one entry for each kind of greeting (no ALPN, http/1.1, h2).
func isDetected(target, serverName string) bool {
	for alpn := range 3 {
		known, _ := reality.GlobalPostHandshakeRecordsLens.Load(target + " " + serverName + " " + strconv.Itoa(alpn))
		if _, isDone := known.([]int); !isDone {
			return false
		}
	}
	return true
}
