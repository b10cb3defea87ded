// Package egress is the node's way out: Xray's freedom outbound, which first makes sure that the destination is open to
// customers. The routing rule stops literal addresses; this stops what a rule cannot see:
//   - a name that resolves to a closed address (the address that is checked is the one that is dialled, so a name server
//     that answers differently each time gains nothing);
//   - the second and later packets of a UDP session, each of which names a destination of its own.
package egress

import (
	"context"
	"errors"
	"net/netip"

	"github.com/xtls/xray-core/common"
	"github.com/xtls/xray-core/common/buf"
	xnet "github.com/xtls/xray-core/common/net"
	"github.com/xtls/xray-core/common/session"
	"github.com/xtls/xray-core/proxy"
	"github.com/xtls/xray-core/proxy/freedom"
	"github.com/xtls/xray-core/transport"
	"github.com/xtls/xray-core/transport/internet"
)

// ErrDestinationClosed is returned for a destination that customers must not reach.
var ErrDestinationClosed = errors.New("destination is closed to customers")

// Handler implements Xray's proxy.Outbound. Its sender must resolve names before it is called (target strategy
// FORCE_IP…): a destination that is still a name is refused.
type Handler struct {
	freedom proxy.Outbound
	closed  []netip.Prefix
}

func init() {
	common.Must(common.RegisterConfig((*Config)(nil), func(ctx context.Context, config any) (any, error) {
		return newHandler(ctx, config.(*Config)) //nolint:forcetypeassert // registered for this type
	}))
}

func newHandler(ctx context.Context, config *Config) (*Handler, error) {
	closed, err := parsePrefixes(config.GetClosed())
	if err != nil {
		return nil, err
	}
	direct, err := common.CreateObject(ctx, &freedom.Config{})
	if err != nil {
		return nil, err
	}
	return &Handler{freedom: direct.(proxy.Outbound), closed: closed}, nil //nolint:forcetypeassert // what freedom makes
}

// Process implements proxy.Outbound.
func (h *Handler) Process(ctx context.Context, link *transport.Link, dialer internet.Dialer) error {
	outbounds := session.OutboundsFromContext(ctx)
	if len(outbounds) == 0 {
		return ErrDestinationClosed
	}
	target := outbounds[len(outbounds)-1].Target
	if !h.isOpen(target.Address) {
		return ErrDestinationClosed
	}
	if target.Network == xnet.Network_UDP {
		link = &transport.Link{Reader: &packetFilter{reader: link.Reader, isOpen: h.isOpen}, Writer: link.Writer}
	}
	return h.freedom.Process(ctx, link, dialer)
}

func (h *Handler) isOpen(address xnet.Address) bool {
	if address == nil || !address.Family().IsIP() {
		return false
	}
	ip, ok := netip.AddrFromSlice(address.IP())
	if !ok {
		return false
	}
	ip = ip.Unmap()
	for _, prefix := range h.closed {
		if prefix.Contains(ip) {
			return false
		}
	}
	return true
}

// packetFilter drops the packets that name a closed destination.
type packetFilter struct {
	reader buf.Reader
	isOpen func(xnet.Address) bool
}

// ReadMultiBuffer implements buf.Reader.
func (f *packetFilter) ReadMultiBuffer() (buf.MultiBuffer, error) {
	packets, err := f.reader.ReadMultiBuffer()
	open := packets[:0]
	for _, packet := range packets {
		if packet.UDP != nil && !f.isOpen(packet.UDP.Address) {
			packet.Release()
			continue
		}
		open = append(open, packet)
	}
	return open, err
}

// Interrupt implements common.Interruptible.
func (f *packetFilter) Interrupt() { _ = common.Interrupt(f.reader) }
