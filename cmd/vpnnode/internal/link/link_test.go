package link_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/vpnnode/internal/link"
)

var sample = link.Link{
	UserID: "66ad4540-b58c-4ad2-9926-ea63445a9b57", Host: "vpn.example.org", Port: 443, ServerName: "www.example.com",
	PublicKey: bytes.Repeat([]byte{0xfb}, 32), ShortID: []byte{1, 2, 3, 4, 5, 6, 7, 8}, Name: "Atlas Secure #1",
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"vpn.example.org", "192.0.2.1", "2001:db8::1"} {
		want := sample
		want.Host = host
		got, err := link.Parse(want.String())
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.Equal(t, "vless://66ad4540-b58c-4ad2-9926-ea63445a9b57@vpn.example.org:443?encryption=none"+
		"&flow=xtls-rprx-vision&fp=chrome&pbk=-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s&security=reality"+
		"&sid=0102030405060708&sni=www.example.com&type=tcp#Atlas%20Secure%20%231", sample.String())
}

func TestOtherLinksAreRefusedWithoutShowingThem(t *testing.T) {
	t.Parallel()
	good := sample.String()
	for _, bad := range []string{
		"", "https://example.org", strings.Replace(good, "vless", "vmess", 1), strings.Replace(good, "reality", "tls", 1),
		strings.Replace(good, "type=tcp", "type=ws", 1), strings.Replace(good, ":443", "", 1),
		strings.Replace(good, "pbk=-_v7", "pbk=", 1), strings.Replace(good, "sid=01", "sid=0z", 1),
	} {
		_, err := link.Parse(bad)
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), sample.UserID)
	}
}
