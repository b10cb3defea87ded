package config

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const nodeKey = "canary-of-a-node"

func TestOneVPNNodeHasAShorthand(t *testing.T) {
	t.Parallel()
	cfg := &Config{VPNNodeURL: "http://127.0.0.1:8088", VPNNodeAPIKey: NewSecret(nodeKey)}
	nodes, err := cfg.Nodes()
	require.NoError(t, err)
	require.Len(t, nodes, 1)
	require.Equal(t, "node", nodes[0].Name)
	require.Equal(t, OwnNode, nodes[0].Kind)
	require.Equal(t, nodeKey, nodes[0].Key.Reveal())
}

func TestSeveralVPNNodes(t *testing.T) {
	t.Parallel()
	cfg := &Config{VPNNodes: NewSecret("node+https://fi-1:" + nodeKey + "@fi.example:8443/base " +
		"xray://de-1@127.0.0.1:10085/vless-in?host=de.example&port=443\n remnawave+http://panel:a%2Fb@[::1]:3000?squad=1&squad=2")}
	nodes, err := cfg.Nodes()
	require.NoError(t, err)
	require.Len(t, nodes, 3)
	require.Equal(t, VPNNode{Name: "fi-1", Kind: OwnNode, Address: "https://fi.example:8443/base", Key: nodes[0].Key, Options: url.Values{}},
		nodes[0])
	require.Equal(t, nodeKey, nodes[0].Key.Reveal())
	require.Equal(t, VPNNode{Name: "de-1", Kind: XrayCore, Address: "127.0.0.1:10085", Inbound: "vless-in",
		Options: url.Values{"host": {"de.example"}, "port": {"443"}}}, nodes[1])
	require.Equal(t, "http://[::1]:3000", nodes[2].Address)
	require.Equal(t, "a/b", nodes[2].Key.Reveal())
	require.Equal(t, []string{"1", "2"}, nodes[2].Options["squad"])

	var out strings.Builder
	require.NoError(t, cfg.Describe(&out))
	require.NotContains(t, out.String(), nodeKey)
	require.Contains(t, out.String(), "node+https://fi-1@fi.example:8443/base [redacted], xray://de-1@127.0.0.1:10085/vless-in [redacted], ")
}

func TestMalformedVPNNodesAreRefusedWithoutTheirKeys(t *testing.T) {
	t.Parallel()
	for text, problem := range map[string]string{
		"node+https://fi.example":                              "address 1: the name before the @ is missing",
		"node+https://Fi:" + nodeKey + "@fi.example":           "malformed: 1 to 32",
		"node+https://fi@fi.example":                           "fi: the key is missing",
		"node+https://fi:" + nodeKey + "@":                     "not an address",
		"https://fi:" + nodeKey + "@fi.example":                "begins with none of",
		"node+ftp://fi:" + nodeKey + "@fi.example":             "begins with none of",
		"node://fi:" + nodeKey + "@fi.example":                 "begins with none of",
		"xray://de:" + nodeKey + "@127.0.0.1:1/in":             "takes no key",
		"xray+https://de@127.0.0.1:1/in":                       "begins with none of",
		"xray://de@127.0.0.1:1/in?prot=1":                      `unknown option "prot"`,
		"node+https://a:k@h node+https://a:" + nodeKey + "@h2": "address 2: the name a is taken",
		"node+https://a:" + nodeKey + "@h:port":                "not an address",
		"remnawave+https://p:" + nodeKey + "@h?squads=1":       `unknown option "squads"`,
	} {
		_, err := Parse(Worker, []string{"APP_ENV=local", "LOCAL_BOT_TOKEN=" + canaryToken, "LOCAL_VPN_NODES=" + text})
		require.ErrorContains(t, err, problem, text)
		require.ErrorContains(t, err, "LOCAL_VPN_NODES is malformed", text)
		require.NotContains(t, err.Error(), nodeKey)
	}
	_, err := Parse(Worker, []string{"LOCAL_BOT_TOKEN=" + canaryToken, "LOCAL_VPN_NODES=node+https://a:k@h", "LOCAL_VPN_NODE_URL=http://127.0.0.1:1"})
	require.ErrorContains(t, err, "must not be")
	cfg, err := Parse(Worker, []string{"LOCAL_BOT_TOKEN=" + canaryToken, "LOCAL_VPN_NODES=node+https://a:k@h"})
	require.NoError(t, err)
	require.Empty(t, cfg.VPNNodeURL, "the local default is for one node")
}
