package vpn

import (
	"fmt"
	"strconv"

	"atlas-secure/internal/config"
)

// Open makes the nodes of the configuration. Nothing is sent yet.
func Open(nodes []config.VPNNode, options ...Option) ([]Named, error) {
	opened := make([]Named, 0, len(nodes))
	for _, node := range nodes {
		named, err := open(node, options)
		if err != nil {
			return nil, fmt.Errorf("VPN node %s: %w", node.Name, err)
		}
		named.Name = node.Name
		opened = append(opened, named)
	}
	return opened, nil
}

func open(node config.VPNNode, options []Option) (Named, error) {
	switch node.Kind {
	case config.OwnNode:
		client, err := NewClient(node.Address, node.Key, options...)
		if err != nil {
			return Named{}, err
		}
		return Named{Node: client, close: client.Close}, nil
	case config.RemnawavePanel:
		panel, err := NewRemnawave(node.Address, node.Key, node.Options["squad"], options...)
		if err != nil {
			return Named{}, err
		}
		return Named{Node: panel, close: panel.Close}, nil
	case config.XrayCore:
		port, err := strconv.ParseUint(node.Options.Get("port"), 10, 16)
		if err != nil {
			return Named{}, fmt.Errorf("port: 1 to 65535 is expected, not %q", node.Options.Get("port"))
		}
		link := Reality{
			Host: node.Options.Get("host"), Port: uint16(port), ServerName: node.Options.Get("sni"),
			PublicKey: node.Options.Get("pbk"), ShortID: node.Options.Get("sid"),
			Fingerprint: or(node.Options.Get("fp"), defaultFingerprint), Flow: or(node.Options.Get("flow"), defaultFlow),
		}
		core, err := NewXray(node.Address, node.Inbound, link, options...)
		if err != nil {
			return Named{}, err
		}
		return Named{Node: core, close: core.Close}, nil
	default:
		return Named{}, fmt.Errorf("unknown kind %q", node.Kind)
	}
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
