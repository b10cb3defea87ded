package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// VPNKind is what a VPN node is, and how it is spoken to.
type VPNKind string

// The kinds.
const (
	OwnNode        VPNKind = "node"
	XrayCore       VPNKind = "xray"
	RemnawavePanel VPNKind = "remnawave"
)

// VPNNode is one VPN node of the configuration.
type VPNNode struct {
	Name    string
	Kind    VPNKind
	Address string // http or https; of an Xray core host:port
	Inbound string // of an Xray core: the tag of the inbound
	Key     Secret
	Options url.Values
}

// onlyNodeName is what the node is called that VPN_NODE_URL names.
const onlyNodeName = "node"

// nodeNameForm is the database's, too: vpn.node.
var nodeNameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// nodeOptions are what an address may say after its question mark.
var nodeOptions = map[VPNKind][]string{
	XrayCore:       {"host", "port", "sni", "pbk", "sid", "fp", "flow"},
	RemnawavePanel: {"squad"},
}

// Nodes are the VPN nodes to work with: VPN_NODES, or the one of VPN_NODE_URL.
func (c *Config) Nodes() ([]VPNNode, error) {
	if !c.VPNNodes.IsSet() {
		return []VPNNode{{Name: onlyNodeName, Kind: OwnNode, Address: c.VPNNodeURL, Key: c.VPNNodeAPIKey}}, nil
	}
	var nodes []VPNNode
	names := map[string]bool{}
	for i, text := range strings.Fields(c.VPNNodes.Reveal()) {
		node, err := parseNode(text)
		if err != nil {
			return nil, fmt.Errorf("address %d: %w", i+1, err)
		}
		if names[node.Name] {
			return nil, fmt.Errorf("address %d: the name %s is taken", i+1, node.Name)
		}
		names[node.Name] = true
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// parseNode reads one address. Its errors do not quote it, because of the key in it.
func parseNode(text string) (VPNNode, error) {
	address, err := url.Parse(text)
	if err != nil || address.Host == "" {
		return VPNNode{}, errors.New("not an address like node+https://NAME:KEY@HOST")
	}
	kind, scheme, _ := strings.Cut(address.Scheme, "+")
	node := VPNNode{Name: address.User.Username(), Kind: VPNKind(kind), Options: address.Query()}
	if !nodeNameForm.MatchString(node.Name) {
		return VPNNode{}, errors.New("the name before the @ is missing or malformed: 1 to 32 of a-z, 0-9 and -")
	}
	for option := range node.Options {
		if !slices.Contains(nodeOptions[node.Kind], option) {
			return VPNNode{}, fmt.Errorf("%s: unknown option %q", node.Name, option)
		}
	}
	key, hasKey := address.User.Password()
	switch {
	case node.Kind == XrayCore && scheme == "":
		if hasKey {
			return VPNNode{}, fmt.Errorf("%s: the API of an Xray core takes no key", node.Name)
		}
		node.Address, node.Inbound = address.Host, strings.Trim(address.Path, "/")
		return node, nil
	case (node.Kind == OwnNode || node.Kind == RemnawavePanel) && (scheme == "https" || scheme == "http"):
		if key == "" {
			return VPNNode{}, fmt.Errorf("%s: the key is missing, between the name and the @", node.Name)
		}
		node.Key = NewSecret(key)
		node.Address = (&url.URL{Scheme: scheme, Host: address.Host, Path: address.Path}).String()
		return node, nil
	default:
		return VPNNode{}, fmt.Errorf("%s: begins with none of node+https://, remnawave+https:// and xray://", node.Name)
	}
}

// checkNodes looks for what is missing of the VPN nodes, or malformed.
func (c *Config) checkNodes(component Component, add func(string, string, ...any)) {
	if !c.VPNNodes.IsSet() {
		if component != Worker {
			return
		}
		for _, variable := range []string{"VPN_NODE_URL", "VPN_NODE_API_KEY"} {
			if !c.has(variable) {
				add(variable, "is missing (or VPN_NODES, for several)")
			}
		}
		return
	}
	if _, err := c.Nodes(); err != nil {
		add("VPN_NODES", "is malformed: %v", err)
	}
	if c.VPNNodeURL != "" || c.VPNNodeAPIKey.IsSet() {
		add("VPN_NODES", "is set, so VPN_NODE_URL and VPN_NODE_API_KEY must not be: add that node to the list")
	}
}

// describeNodes shows each address without its key.
func describeNodes(nodes Secret) string {
	shown := strings.Fields(nodes.Reveal())
	for i, text := range shown {
		shown[i] = describeSecret(NewSecret(text))
	}
	return strings.Join(shown, ", ")
}
