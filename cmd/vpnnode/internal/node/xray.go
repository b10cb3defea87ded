package node

import (
	"net/netip"

	"github.com/xtls/xray-core/app/log"
	"github.com/xtls/xray-core/app/policy"
	"github.com/xtls/xray-core/app/proxyman"
	_ "github.com/xtls/xray-core/app/proxyman/inbound"  // makes inbound handlers from their configuration
	_ "github.com/xtls/xray-core/app/proxyman/outbound" // makes outbound handlers from their configuration
	"github.com/xtls/xray-core/app/router"
	"github.com/xtls/xray-core/app/stats"
	xlog "github.com/xtls/xray-core/common/log"
	xnet "github.com/xtls/xray-core/common/net"
	"github.com/xtls/xray-core/common/serial"
	"github.com/xtls/xray-core/core"
	"github.com/xtls/xray-core/proxy/blackhole"
	"github.com/xtls/xray-core/proxy/vless/inbound"
	"github.com/xtls/xray-core/transport/internet"
	"github.com/xtls/xray-core/transport/internet/reality"
	_ "github.com/xtls/xray-core/transport/internet/tcp" // the inbound's transport, and how TCP goes out
	_ "github.com/xtls/xray-core/transport/internet/udp" // how UDP goes out

	"atlas-secure/vpnnode/internal/egress"
	"atlas-secure/vpnnode/internal/gate"
)

const (
	inboundTag = "vless"
	directTag  = "direct"
	blockedTag = "blocked"

	// A phone that walks out of its network says no goodbye and would keep its place under the device limit. With these
	// its connection is noticed to be dead within a minute.
	keepAliveIdleSeconds     = 30
	keepAliveIntervalSeconds = 10
	tcpUserTimeoutMillis     = 30_000
)

type coreParams struct {
	listenHost string
	listenPort uint16
	target     string // host:port of the REALITY target
	serverName string
	privateKey []byte
	shortIDs   [][]byte
	closed     []netip.Prefix // networks customers cannot reach; none: everything is open
}

// coreConfig describes the core in Xray's own messages. (Its JSON package would pull in every protocol Xray knows.)
func coreConfig(p coreParams) *core.Config {
	return &core.Config{
		App: []*serial.TypedMessage{
			// The access log names every destination of every customer: none is written.
			serial.ToTypedMessage(&log.Config{
				AccessLogType: log.LogType_None,
				ErrorLogType:  log.LogType_Console,
				ErrorLogLevel: xlog.Severity_Error,
			}),
			serial.ToTypedMessage(&policy.Config{Level: map[uint32]*policy.Policy{
				0: {Stats: &policy.Policy_Stats{UserUplink: true, UserDownlink: true}},
			}}),
			serial.ToTypedMessage(&stats.Config{}),
			serial.ToTypedMessage(&gate.Config{}),
			serial.ToTypedMessage(&proxyman.InboundConfig{}),
			serial.ToTypedMessage(&proxyman.OutboundConfig{}),
			serial.ToTypedMessage(routing(p.closed)),
		},
		Inbound:  []*core.InboundHandlerConfig{inboundConfig(p)},
		Outbound: outboundConfigs(p.closed),
	}
}

func inboundConfig(p coreParams) *core.InboundHandlerConfig {
	shortIDs := make([][]byte, len(p.shortIDs))
	for i, shortID := range p.shortIDs {
		shortIDs[i] = make([]byte, 8) // shorter ones are padded with zeros
		copy(shortIDs[i], shortID)
	}
	disguise := &reality.Config{
		Dest: p.target, Type: "tcp", ServerNames: []string{p.serverName}, PrivateKey: p.privateKey, ShortIds: shortIDs,
		MasterKeyLog: "none",
	}
	return &core.InboundHandlerConfig{
		Tag: inboundTag,
		ReceiverSettings: serial.ToTypedMessage(&proxyman.ReceiverConfig{
			Listen:   xnet.NewIPOrDomain(xnet.ParseAddress(p.listenHost)),
			PortList: &xnet.PortList{Range: []*xnet.PortRange{xnet.SinglePortRange(xnet.Port(p.listenPort))}},
			StreamSettings: &internet.StreamConfig{
				ProtocolName:     "tcp",
				SecurityType:     serial.GetMessageType(disguise),
				SecuritySettings: []*serial.TypedMessage{serial.ToTypedMessage(disguise)},
				SocketSettings: &internet.SocketConfig{
					TcpKeepAliveIdle: keepAliveIdleSeconds, TcpKeepAliveInterval: keepAliveIntervalSeconds,
					TcpUserTimeout: tcpUserTimeoutMillis,
				},
			},
		}),
		ProxySettings: serial.ToTypedMessage(&inbound.Config{Decryption: "none"}),
	}
}

// outboundConfigs begins with the default one.
func outboundConfigs(closed []netip.Prefix) []*core.OutboundHandlerConfig {
	direct := &egress.Config{}
	for _, prefix := range closed {
		direct.Closed = append(direct.Closed, prefix.String())
	}
	return []*core.OutboundHandlerConfig{
		{
			Tag: directTag,
			// Names are resolved before the way out looks at them; it needs an address to judge.
			SenderSettings: serial.ToTypedMessage(&proxyman.SenderConfig{
				TargetStrategy: internet.DomainStrategy_FORCE_IP46,
			}),
			ProxySettings: serial.ToTypedMessage(direct),
		},
		{Tag: blockedTag, ProxySettings: serial.ToTypedMessage(&blackhole.Config{})},
	}
}

// routing sends closed networks nowhere.
func routing(closed []netip.Prefix) *router.Config {
	if len(closed) == 0 {
		return &router.Config{}
	}
	networks := &router.GeoIP{}
	for _, prefix := range closed {
		bits := uint32(prefix.Bits()) //nolint:gosec // 0 to 128: the prefixes are valid
		networks.Cidr = append(networks.Cidr, &router.CIDR{Ip: prefix.Addr().AsSlice(), Prefix: bits})
	}
	return &router.Config{Rule: []*router.RoutingRule{{
		RuleTag:   "closed-networks",
		Geoip:     []*router.GeoIP{networks},
		TargetTag: &router.RoutingRule_Tag{Tag: blockedTag},
	}}}
}
