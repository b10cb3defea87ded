package egress

import (
	"context"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xtls/xray-core/common/buf"
	xnet "github.com/xtls/xray-core/common/net"
	"github.com/xtls/xray-core/common/session"
	"github.com/xtls/xray-core/transport"
	"github.com/xtls/xray-core/transport/internet"
)

func handler(t *testing.T) *Handler {
	t.Helper()
	closed, err := ClosedNetworks()
	require.NoError(t, err)
	return &Handler{closed: closed}
}

func TestWhatIsOpenToCustomers(t *testing.T) {
	t.Parallel()
	h := handler(t)
	for _, address := range []string{"1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.1", "2606:4700:4700::1111", "2001:4860:4860::8888"} {
		require.True(t, h.isOpen(xnet.ParseAddress(address)), address)
	}
	for _, address := range []string{
		"127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
		"224.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1",
		"172.31.255.255", "100.127.255.255", "192.0.0.170", "192.0.2.1", "192.88.99.1", "198.19.255.255", "198.51.100.1",
		"203.0.113.1", "64:ff9b:1::a00:1", "100::1", "2001::7f00:1", "2001:db8::1", "fcff::1", "febf:ffff::1",
		"fd00::1", "fe80::1", "ff02::1", "localhost", "name.example.org",
	} {
		require.False(t, h.isOpen(xnet.ParseAddress(address)), address)
	}
	require.False(t, h.isOpen(nil))
}

// A service may listen on an address of this machine that is a public one.
func TestTheMachinesOwnAddressesAreClosed(t *testing.T) {
	t.Parallel()
	closed, err := ClosedNetworks()
	require.NoError(t, err)
	own, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, addr := range own {
		ip, ok := netip.AddrFromSlice(addr.(*net.IPNet).IP)
		require.True(t, ok)
		require.Contains(t, closed, netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()))
	}
}

func TestAllIsOpenWhenNothingIsClosed(t *testing.T) {
	t.Parallel()
	h := &Handler{}
	require.True(t, h.isOpen(xnet.ParseAddress("127.0.0.1")))
	require.False(t, h.isOpen(xnet.ParseAddress("localhost")), "names must be resolved before")
}

// packets is a buf.Reader with one batch.
type packets struct{ batch buf.MultiBuffer }

func (p *packets) ReadMultiBuffer() (buf.MultiBuffer, error) {
	if p.batch == nil {
		return nil, io.EOF
	}
	batch := p.batch
	p.batch = nil
	return batch, nil
}

// A session that began with an open destination names another one in a later packet.
func TestLaterPacketsOfASessionAreCheckedToo(t *testing.T) {
	t.Parallel()
	packet := func(to, text string) *buf.Buffer {
		b := buf.New()
		_, err := b.WriteString(text)
		require.NoError(t, err)
		if to != "" {
			destination := xnet.UDPDestination(xnet.ParseAddress(to), 53)
			b.UDP = &destination
		}
		return b
	}
	filter := &packetFilter{isOpen: handler(t).isOpen, reader: &packets{batch: buf.MultiBuffer{
		packet("1.1.1.1", "a"), packet("127.0.0.1", "b"), packet("localhost", "c"), packet("", "d"), packet("8.8.8.8", "e"),
	}}}
	batch, err := filter.ReadMultiBuffer()
	require.NoError(t, err)
	var got []string
	for _, b := range batch {
		got = append(got, b.String())
	}
	require.Equal(t, []string{"a", "d", "e"}, got)
	_, err = filter.ReadMultiBuffer()
	require.ErrorIs(t, err, io.EOF)
}

// wayOut stands for Xray's freedom: it reads what it would send.
type wayOut struct{ sent []string }

func (w *wayOut) Process(_ context.Context, link *transport.Link, _ internet.Dialer) error {
	batch, err := link.Reader.ReadMultiBuffer()
	for _, b := range batch {
		w.sent = append(w.sent, b.String())
	}
	return err
}

func TestUDPLeavesThroughTheFilter(t *testing.T) {
	t.Parallel()
	out := &wayOut{}
	h := handler(t)
	h.freedom = out
	first, second := buf.FromBytes([]byte("a")), buf.FromBytes([]byte("b"))
	open, shut := xnet.UDPDestination(xnet.ParseAddress("1.1.1.1"), 53), xnet.UDPDestination(xnet.ParseAddress("127.0.0.1"), 53)
	first.UDP, second.UDP = &open, &shut
	ctx := session.ContextWithOutbounds(t.Context(), []*session.Outbound{{Target: open}})
	require.NoError(t, h.Process(ctx, &transport.Link{Reader: &packets{batch: buf.MultiBuffer{first, second}}}, nil))
	require.Equal(t, []string{"a"}, out.sent)
}

func TestAClosedDestinationIsNotDialled(t *testing.T) {
	t.Parallel()
	h := handler(t) // without a way out: it would panic there
	for _, target := range []xnet.Destination{
		xnet.TCPDestination(xnet.ParseAddress("127.0.0.1"), 80), xnet.UDPDestination(xnet.ParseAddress("169.254.169.254"), 53),
		xnet.TCPDestination(xnet.DomainAddress("localhost"), 80),
	} {
		ctx := session.ContextWithOutbounds(t.Context(), []*session.Outbound{{Target: target}})
		require.ErrorIs(t, h.Process(ctx, &transport.Link{}, nil), ErrDestinationClosed, target)
	}
	require.ErrorIs(t, h.Process(t.Context(), &transport.Link{}, nil), ErrDestinationClosed, "no destination at all")
}

func TestBadConfigurationIsRefused(t *testing.T) {
	t.Parallel()
	_, err := newHandler(t.Context(), &Config{Closed: []string{"127.0.0.1"}})
	require.ErrorContains(t, err, "closed network")
	_, err = parsePrefixes(reserved)
	require.NoError(t, err)
	require.True(t, netip.MustParsePrefix("127.0.0.0/8").Contains(netip.MustParseAddr("127.0.0.1")))
}
