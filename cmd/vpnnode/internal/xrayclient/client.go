// Package xrayclient uses a vless:// link the way a person's VPN client does: it runs an Xray client core in this process
// and dials through it.
package xrayclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/xtls/xray-core/app/dispatcher"
	"github.com/xtls/xray-core/app/log"
	"github.com/xtls/xray-core/app/proxyman"
	_ "github.com/xtls/xray-core/app/proxyman/inbound"  // required by every core
	_ "github.com/xtls/xray-core/app/proxyman/outbound" // makes the outbound from its configuration
	xnet "github.com/xtls/xray-core/common/net"
	"github.com/xtls/xray-core/common/protocol"
	"github.com/xtls/xray-core/common/serial"
	"github.com/xtls/xray-core/core"
	"github.com/xtls/xray-core/proxy/vless"
	"github.com/xtls/xray-core/proxy/vless/outbound"
	"github.com/xtls/xray-core/transport/internet"
	"github.com/xtls/xray-core/transport/internet/reality"
	_ "github.com/xtls/xray-core/transport/internet/tcp" // the transport of the link

	"atlas-secure/vpnnode/internal/link"
)

// Client dials through one link.
type Client struct{ core *core.Instance }

// New starts a client core. Nothing is dialled yet: a link that does not work shows when it is used. A valid source is the
// address of this machine to come from.
func New(ctx context.Context, l link.Link, source netip.Addr) (*Client, error) {
	instance, err := core.NewWithContext(context.WithoutCancel(ctx), config(l, source))
	if err != nil {
		return nil, fmt.Errorf("configure the Xray client: %w", err)
	}
	if err := instance.Start(); err != nil {
		return nil, fmt.Errorf("start the Xray client: %w", errors.Join(err, instance.Close()))
	}
	return &Client{core: instance}, nil
}

// Close stops the core. Close what was dialled first.
func (c *Client) Close() error { return c.core.Close() }

// DialContext opens a TCP connection to the address as the node sees it. Errors beyond the client show at the first
// read; deadlines of the connection have no effect, so close it to give up.
func (c *Client) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial through the link: %w", err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("dial through the link: %w", err)
	}
	// The context would end the connection together with the request that opened it.
	return core.Dial(context.WithoutCancel(ctx), c.core, xnet.TCPDestination(xnet.ParseAddress(host), xnet.Port(port)))
}

// PacketConn sends UDP packets through the link.
func (c *Client) PacketConn(ctx context.Context) (net.PacketConn, error) {
	return core.DialUDP(context.WithoutCancel(ctx), c.core)
}

// HTTP makes a client whose requests go through the link, one connection each.
func (c *Client) HTTP() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: c.DialContext, DisableKeepAlives: true}}
}

func config(l link.Link, source netip.Addr) *core.Config {
	shortID := make([]byte, 8)
	copy(shortID, l.ShortID)
	disguise := &reality.Config{
		Fingerprint: link.Fingerprint, ServerName: l.ServerName, PublicKey: l.PublicKey, ShortId: shortID,
		SpiderX: "/", SpiderY: make([]int64, 10), MasterKeyLog: "none",
	}
	sender := &proxyman.SenderConfig{
		StreamSettings: &internet.StreamConfig{
			ProtocolName:     "tcp",
			SecurityType:     serial.GetMessageType(disguise),
			SecuritySettings: []*serial.TypedMessage{serial.ToTypedMessage(disguise)},
		},
	}
	if source.IsValid() {
		sender.Via = xnet.NewIPOrDomain(xnet.ParseAddress(source.String()))
	}
	return &core.Config{
		App: []*serial.TypedMessage{
			// Without this Xray prints everything it does.
			serial.ToTypedMessage(&log.Config{AccessLogType: log.LogType_None, ErrorLogType: log.LogType_None}),
			serial.ToTypedMessage(&dispatcher.Config{}),
			serial.ToTypedMessage(&proxyman.InboundConfig{}),
			serial.ToTypedMessage(&proxyman.OutboundConfig{}),
		},
		Outbound: []*core.OutboundHandlerConfig{{
			SenderSettings: serial.ToTypedMessage(sender),
			ProxySettings: serial.ToTypedMessage(&outbound.Config{Vnext: &protocol.ServerEndpoint{
				Address: xnet.NewIPOrDomain(xnet.ParseAddress(l.Host)),
				Port:    uint32(l.Port),
				User: &protocol.User{Account: serial.ToTypedMessage(&vless.Account{
					Id: l.UserID, Flow: link.Vision, Encryption: "none",
				})},
			}}),
		}},
	}
}
