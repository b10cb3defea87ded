package egress

import (
	"io"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xtls/xray-core/common/buf"
	xnet "github.com/xtls/xray-core/common/net"
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
	for _, address := range []string{"1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700:4700::1111"} {
		require.True(t, h.isOpen(xnet.ParseAddress(address)), address)
	}
	for _, address := range []string{
		"127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
		"224.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1",
		"fd00::1", "fe80::1", "ff02::1", "localhost", "name.example.org",
	} {
		require.False(t, h.isOpen(xnet.ParseAddress(address)), address)
	}
	require.False(t, h.isOpen(nil))
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

func TestBadConfigurationIsRefused(t *testing.T) {
	t.Parallel()
	_, err := newHandler(t.Context(), &Config{Closed: []string{"127.0.0.1"}})
	require.ErrorContains(t, err, "closed network")
	_, err = parsePrefixes(reserved)
	require.NoError(t, err)
	require.True(t, netip.MustParsePrefix("127.0.0.0/8").Contains(netip.MustParseAddr("127.0.0.1")))
}
