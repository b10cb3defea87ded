// Package config reads the node's configuration from the environment.
package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const minAPIKeyLength = 16

// Config is everything that can be configured. It prints without secrets.
type Config struct {
	Listen         string // of the API
	APIKey         Secret
	TLS            *tls.Certificate // nil: plain HTTP, on loopback only
	XrayHost       string           // an IP address
	XrayPort       uint16           // 0: a free one, kept
	PublicHost     string
	PublicPort     uint16 // 0: the same as the Xray port
	StateDir       string
	RealityTarget  string // empty: our own on loopback
	RealityName    string
	AllowsLoopback bool
	LogLevel       slog.Level
}

// variable is one line of the table that both reading and help follow.
type variable struct {
	name, fallback, help string
	set                  func(c *Config, value string) error
}

var variables = []variable{
	{"VPNNODE_API_KEY", "", "what callers of the API send as X-API-Key (required, at least 16 characters)", setAPIKey},
	{"VPNNODE_LISTEN", "127.0.0.1:8443", "where the API listens; anything but loopback requires a certificate", setListen},
	{"VPNNODE_TLS_CERT", "", "file with the API's certificate chain (PEM)", nil},
	{"VPNNODE_TLS_KEY", "", "file with the certificate's key (PEM)", nil},
	{"VPNNODE_XRAY_LISTEN", "0.0.0.0:443", "IP address and port where VPN clients connect; port 0: a free one, kept in the state", setXrayListen},
	{"VPNNODE_PUBLIC_ADDRESS", "", "host[:port] in the links (required unless clients connect to one certain address)", setPublic},
	{"VPNNODE_STATE_DIR", defaultStateDir(), "where the REALITY keys are kept; whoever loses them breaks every link", setStateDir},
	{"VPNNODE_REALITY_TARGET", "", "host:port of the TLS 1.3 site to hide behind; empty: a target of our own on loopback,\nwhich needs no network and fools nobody", setTarget},
	{"VPNNODE_REALITY_SERVER_NAME", "", "name in the TLS greeting (default: the target's host, else www.example.com)", setServerName},
	{"VPNNODE_ALLOW_LOOPBACK", "false", "let customers reach loopback and private addresses of this machine: for tests and the\nsandbox only", setAllowLoopback},
	{"VPNNODE_LOG_LEVEL", "INFO", "DEBUG, INFO, WARN or ERROR", setLogLevel},
}

// Help lists the variables.
func Help() string {
	var text strings.Builder
	text.WriteString("vpnnode runs a VLESS + REALITY server and the HTTP API that adds and removes its users.\n" +
		"It is configured by environment variables:\n")
	for _, v := range variables {
		fmt.Fprintf(&text, "\n  %s", v.name)
		if v.fallback != "" {
			fmt.Fprintf(&text, " (default %s)", v.fallback)
		}
		fmt.Fprintf(&text, "\n      %s\n", strings.ReplaceAll(v.help, "\n", "\n      "))
	}
	return text.String()
}

// Load reads the configuration; lookup is os.LookupEnv but for tests. Its error names every problem, one per line.
func Load(lookup func(string) (string, bool)) (*Config, error) {
	c := &Config{}
	var problems []error
	value := func(v variable) string {
		if text, ok := lookup(v.name); ok && strings.TrimSpace(text) != "" {
			return strings.TrimSpace(text)
		}
		return v.fallback
	}
	files := map[string]string{}
	for _, v := range variables {
		text := value(v)
		if v.set == nil {
			files[v.name] = text
		} else if err := v.set(c, text); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", v.name, err))
		}
	}
	problems = append(problems, c.loadTLS(files["VPNNODE_TLS_CERT"], files["VPNNODE_TLS_KEY"])...)
	problems = append(problems, c.complete()...)
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return c, nil
}

func (c *Config) loadTLS(certFile, keyFile string) []error {
	switch {
	case certFile == "" && keyFile == "":
		return nil
	case certFile == "" || keyFile == "":
		return []error{errors.New("VPNNODE_TLS_CERT, VPNNODE_TLS_KEY: set both or none")}
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return []error{fmt.Errorf("VPNNODE_TLS_CERT, VPNNODE_TLS_KEY: %w", err)}
	}
	c.TLS = &pair
	return nil
}

// complete checks what concerns several variables and fills in what follows from others.
func (c *Config) complete() []error {
	var problems []error
	if c.Listen != "" && c.TLS == nil && !isLoopback(c.Listen) {
		problems = append(problems, fmt.Errorf(
			"VPNNODE_LISTEN: %s is not loopback; the API key would travel in the clear: set VPNNODE_TLS_CERT and VPNNODE_TLS_KEY",
			c.Listen))
	}
	if ip, err := netip.ParseAddr(c.XrayHost); err == nil && c.PublicHost == "" {
		if ip.IsUnspecified() {
			problems = append(problems, errors.New(
				"VPNNODE_PUBLIC_ADDRESS: required, because VPNNODE_XRAY_LISTEN names no certain address"))
		}
		c.PublicHost = ip.String()
	}
	if c.RealityName == "" {
		c.RealityName = "www.example.com"
		if host, _, err := net.SplitHostPort(c.RealityTarget); err == nil {
			c.RealityName = host
		}
	}
	if _, err := netip.ParseAddr(c.RealityName); err == nil {
		problems = append(problems, fmt.Errorf("VPNNODE_REALITY_SERVER_NAME: %s is an address; a name is needed", c.RealityName))
	}
	return problems
}

func isLoopback(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func setAPIKey(c *Config, value string) error {
	if len(value) < minAPIKeyLength {
		return fmt.Errorf("required, at least %d characters", minAPIKeyLength)
	}
	c.APIKey = NewSecret(value)
	return nil
}

func setListen(c *Config, value string) error {
	_, _, err := splitHostPort(value)
	if err == nil {
		c.Listen = value
	}
	return err
}

func setXrayListen(c *Config, value string) error {
	host, port, err := splitHostPort(value)
	if err != nil {
		return err
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return fmt.Errorf("%q is not an IP address", host)
	}
	c.XrayHost, c.XrayPort = host, port
	return nil
}

func setPublic(c *Config, value string) error {
	if value == "" {
		return nil
	}
	if ip, err := netip.ParseAddr(strings.Trim(value, "[]")); err == nil {
		c.PublicHost = ip.String()
		return nil
	}
	if !strings.Contains(value, ":") {
		c.PublicHost = value
		return nil
	}
	host, port, err := splitHostPort(value)
	if err == nil && (host == "" || port == 0) {
		err = errors.New("host or port is missing")
	}
	c.PublicHost, c.PublicPort = host, port
	return err
}

func setStateDir(c *Config, value string) error {
	if !filepath.IsAbs(value) {
		return fmt.Errorf("%q is not an absolute path", value)
	}
	c.StateDir = value
	return nil
}

func setTarget(c *Config, value string) error {
	if value == "" {
		return nil
	}
	host, port, err := splitHostPort(value)
	if err == nil && (host == "" || port == 0) {
		err = errors.New("host or port is missing")
	}
	c.RealityTarget = value
	return err
}

func setServerName(c *Config, value string) error {
	c.RealityName = value
	return nil
}

func setAllowLoopback(c *Config, value string) error {
	allows, err := strconv.ParseBool(value)
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", value)
	}
	c.AllowsLoopback = allows
	return nil
}

func setLogLevel(c *Config, value string) error {
	if err := c.LogLevel.UnmarshalText([]byte(value)); err != nil {
		return fmt.Errorf("%q is no level", value)
	}
	return nil
}

func splitHostPort(value string) (host string, port uint16, err error) {
	host, portText, err := net.SplitHostPort(value)
	if err != nil {
		return "", 0, fmt.Errorf("%q is not host:port", value)
	}
	number, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("bad port %q", portText)
	}
	return host, uint16(number), nil
}

func defaultStateDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/atlas-secure/vpnnode"
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "atlas-secure", "vpnnode")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "state", "atlas-secure", "vpnnode")
}
