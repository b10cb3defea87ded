package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/vpnnode/internal/config"
)

const key = "0123456789abcdef"

func load(values map[string]string) (*config.Config, error) {
	return config.Load(func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	})
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := load(map[string]string{"VPNNODE_API_KEY": key, "VPNNODE_PUBLIC_ADDRESS": "vpn.example.org"})
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:8443", c.Listen)
	require.Equal(t, "0.0.0.0", c.XrayHost)
	require.EqualValues(t, 443, c.XrayPort)
	require.Equal(t, "vpn.example.org", c.PublicHost)
	require.False(t, c.AllowsLoopback)
	require.Equal(t, "www.example.com", c.RealityName)
	require.NotEmpty(t, c.StateDir)
	require.True(t, c.APIKey.Matches(key))
	require.False(t, c.APIKey.Matches(key[1:]))
}

func TestWhatFollowsFromOtherVariables(t *testing.T) {
	t.Parallel()
	c, err := load(map[string]string{
		"VPNNODE_API_KEY": key, "VPNNODE_XRAY_LISTEN": "[2001:db8::1]:8444", "VPNNODE_REALITY_TARGET": "www.example.net:443",
	})
	require.NoError(t, err)
	require.Equal(t, "2001:db8::1", c.PublicHost)
	require.Equal(t, "www.example.net", c.RealityName)
	require.Zero(t, c.PublicPort)
}

func TestAllProblemsAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := load(map[string]string{
		"VPNNODE_API_KEY": "short", "VPNNODE_LISTEN": "0.0.0.0:8443", "VPNNODE_TLS_CERT": "/only/one",
		"VPNNODE_STATE_DIR": "relative", "VPNNODE_REALITY_TARGET": "no-port", "VPNNODE_REALITY_SERVER_NAME": "127.0.0.1",
		"VPNNODE_ALLOW_LOOPBACK": "perhaps", "VPNNODE_LOG_LEVEL": "loud",
	})
	require.Error(t, err)
	for _, name := range []string{
		"VPNNODE_API_KEY", "VPNNODE_LISTEN", "VPNNODE_TLS_CERT", "VPNNODE_STATE_DIR", "VPNNODE_REALITY_TARGET",
		"VPNNODE_REALITY_SERVER_NAME", "VPNNODE_ALLOW_LOOPBACK", "VPNNODE_LOG_LEVEL", "VPNNODE_PUBLIC_ADDRESS",
	} {
		require.Equal(t, 1, strings.Count("\n"+err.Error(), "\n"+name), "%s in\n%v", name, err)
	}
	require.NotContains(t, err.Error(), "short")
}

func TestTheAPIStaysOnLoopbackWithoutACertificate(t *testing.T) {
	t.Parallel()
	for address, isFine := range map[string]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true,
		":1": false, "0.0.0.0:1": false, "192.0.2.1:1": false, "vpn.example.org:1": false, "localhost.example.org:1": false,
	} {
		_, err := load(map[string]string{
			"VPNNODE_API_KEY": key, "VPNNODE_LISTEN": address, "VPNNODE_XRAY_LISTEN": "127.0.0.1:0",
		})
		require.Equal(t, isFine, err == nil, "%s: %v", address, err)
	}
}

func TestHelpListsTheVariables(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"API_KEY", "LISTEN", "TLS_CERT", "TLS_KEY", "XRAY_LISTEN", "PUBLIC_ADDRESS", "STATE_DIR", "REALITY_TARGET",
		"REALITY_SERVER_NAME", "ALLOW_LOOPBACK", "LOG_LEVEL",
	} {
		require.Contains(t, config.Help(), "\n  VPNNODE_"+name)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	c, err := load(map[string]string{"VPNNODE_API_KEY": key, "VPNNODE_XRAY_LISTEN": "127.0.0.1:0"})
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		require.NotContains(t, fmt.Sprintf(verb, c), key)
		require.Contains(t, fmt.Sprintf(verb, c.APIKey), "[redacted]")
	}
	require.False(t, config.Secret{}.Matches(""))
}

func TestAddressesThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][]string{
		"VPNNODE_LISTEN":         {"127.0.0.1:65979", "127.0.0.1:-1", "127.0.0.1:http"},
		"VPNNODE_XRAY_LISTEN":    {"vpn.example.org:443", ":443", "127.0.0.1", "127.0.0.1:65979"},
		"VPNNODE_PUBLIC_ADDRESS": {"vpn.example.org:0", ":443", "vpn.example.org:65979", "vpn.example.org:"},
		"VPNNODE_REALITY_TARGET": {"www.example.net:0", ":443", "www.example.net:65979"},
	} {
		for _, value := range values {
			environment := map[string]string{"VPNNODE_API_KEY": key, "VPNNODE_PUBLIC_ADDRESS": "192.0.2.1"}
			environment[name] = value
			_, err := load(environment)
			require.ErrorContains(t, err, name, value)
		}
	}
}

func TestThePublicAddressMayNameAPort(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]struct {
		host string
		port uint16
	}{
		"vpn.example.org": {"vpn.example.org", 0}, "vpn.example.org:8444": {"vpn.example.org", 8444},
		"192.0.2.1": {"192.0.2.1", 0}, "192.0.2.1:8444": {"192.0.2.1", 8444},
		"2001:db8::1": {"2001:db8::1", 0}, "[2001:db8::1]": {"2001:db8::1", 0}, "[2001:db8::1]:8444": {"2001:db8::1", 8444},
	} {
		c, err := load(map[string]string{"VPNNODE_API_KEY": key, "VPNNODE_PUBLIC_ADDRESS": value})
		require.NoError(t, err, value)
		require.Equal(t, want.host, c.PublicHost, value)
		require.Equal(t, want.port, c.PublicPort, value)
	}
}

// A key that comes out of a file ends with a newline, and a line of an environment file may be left empty.
func TestSpaceAroundValuesDoesNotCount(t *testing.T) {
	t.Parallel()
	c, err := load(map[string]string{
		"VPNNODE_API_KEY": " " + key + "\n", "VPNNODE_LISTEN": "", "VPNNODE_LOG_LEVEL": " ", "VPNNODE_PUBLIC_ADDRESS": "192.0.2.1",
	})
	require.NoError(t, err)
	require.True(t, c.APIKey.Matches(key))
	require.Equal(t, "127.0.0.1:8443", c.Listen)
	_, err = load(map[string]string{"VPNNODE_API_KEY": strings.Repeat(" ", len(key)), "VPNNODE_PUBLIC_ADDRESS": "192.0.2.1"})
	require.ErrorContains(t, err, "VPNNODE_API_KEY")
}
