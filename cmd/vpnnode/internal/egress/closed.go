package egress

import (
	"fmt"
	"net"
	"net/netip"
)

// reserved are the networks that belong to nobody on the internet: this machine, its neighbours, the cloud's metadata
// service, and IPv6 ranges that translate to such an IPv4 address (IANA special-purpose address registries).
var reserved = []string{
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10",
	"ff00::/8",
}

// ClosedNetworks lists what customers must not reach: the reserved networks and the machine's own addresses, behind
// which a service may listen that the firewall hides from everybody else.
func ClosedNetworks() ([]netip.Prefix, error) {
	closed, err := parsePrefixes(reserved)
	if err != nil {
		return nil, err
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list this machine's addresses: %w", err)
	}
	for _, addr := range own {
		if network, ok := addr.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(network.IP); ok {
				ip = ip.Unmap()
				closed = append(closed, netip.PrefixFrom(ip, ip.BitLen()))
			}
		}
	}
	return closed, nil
}

func parsePrefixes(texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("closed network: %w", err)
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, nil
}
