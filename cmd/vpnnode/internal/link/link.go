// Package link writes and reads the vless:// links that people put into their VPN clients.
package link

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Vision is the flow of VLESS that our inbound speaks.
const Vision = "xtls-rprx-vision"

// Fingerprint is the browser whose TLS greeting clients imitate.
const Fingerprint = "chrome"

// Link is a key to a VLESS + REALITY + vision inbound.
type Link struct {
	UserID     string // uuid; whoever knows it is the user
	Host       string
	Port       uint16
	ServerName string // the name in the TLS greeting
	PublicKey  []byte // X25519, 32 bytes
	ShortID    []byte // at most 8 bytes
	Name       string // what the client shows
}

// String is the vless:// form.
func (l Link) String() string {
	query := url.Values{
		"encryption": {"none"},
		"flow":       {Vision},
		"security":   {"reality"},
		"type":       {"tcp"},
		"sni":        {l.ServerName},
		"fp":         {Fingerprint},
		"pbk":        {base64.RawURLEncoding.EncodeToString(l.PublicKey)},
		"sid":        {hex.EncodeToString(l.ShortID)},
	}
	address := url.URL{
		Scheme:   "vless",
		User:     url.User(l.UserID),
		Host:     net.JoinHostPort(l.Host, strconv.Itoa(int(l.Port))),
		RawQuery: query.Encode(),
		Fragment: l.Name,
	}
	return address.String()
}

// Parse reads a link of this node's kind. Its errors do not contain the link, which is a secret.
func Parse(text string) (Link, error) {
	address, err := url.Parse(strings.TrimSpace(text))
	if err != nil || address.Scheme != "vless" || address.User == nil {
		return Link{}, errors.New("not a vless:// link")
	}
	query := address.Query()
	for _, want := range [][2]string{{"security", "reality"}, {"type", "tcp"}, {"flow", Vision}} {
		if got := query.Get(want[0]); got != want[1] {
			return Link{}, fmt.Errorf("vless link: %s is %q, only %q is supported", want[0], got, want[1])
		}
	}
	port, err := strconv.ParseUint(address.Port(), 10, 16)
	if err != nil || port == 0 {
		return Link{}, fmt.Errorf("vless link: bad port %q", address.Port())
	}
	publicKey, err := base64.RawURLEncoding.DecodeString(query.Get("pbk"))
	if err != nil || len(publicKey) != 32 {
		return Link{}, errors.New("vless link: pbk is not an X25519 key")
	}
	shortID, err := hex.DecodeString(query.Get("sid"))
	if err != nil || len(shortID) > 8 {
		return Link{}, errors.New("vless link: sid is not a short id")
	}
	return Link{
		UserID: address.User.Username(), Host: address.Hostname(), Port: uint16(port), ServerName: query.Get("sni"),
		PublicKey: publicKey, ShortID: shortID, Name: address.Fragment,
	}, nil
}
