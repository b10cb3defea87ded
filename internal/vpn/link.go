package vpn

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net"
	"net/url"
	"strconv"
)

// Reality is a VLESS + REALITY inbound as its customers have to know it.
type Reality struct {
	Host        string
	Port        uint16
	ServerName  string // the name in the TLS greeting
	PublicKey   string // X25519, base64 without padding, as `xray x25519` prints it
	ShortID     string // at most 16 hexadecimal digits; may be empty
	Fingerprint string // the browser whose greeting clients imitate
	Flow        string
}

// What links of a node say if its configuration does not.
const (
	defaultFingerprint = "chrome"
	defaultFlow        = "xtls-rprx-vision"
	linkName           = "Atlas Secure" // what VPN clients show
)

func (r Reality) check() error {
	key, err := base64.RawURLEncoding.DecodeString(r.PublicKey)
	if err != nil || len(key) != 32 {
		return errors.New("pbk: the inbound's REALITY public key is expected, 43 characters as `xray x25519` prints it")
	}
	if id, err := hex.DecodeString(r.ShortID); err != nil || len(id) > 8 {
		return errors.New("sid: one of the inbound's short ids is expected, an even number of at most 16 hexadecimal digits")
	}
	switch {
	case r.Host == "":
		return errors.New("host: the name or address that customers connect to is missing")
	case r.Port == 0:
		return errors.New("port: the port that customers connect to is missing")
	case r.ServerName == "":
		return errors.New("sni: one of the inbound's server names is missing")
	}
	return nil
}

// Key is the user's vless:// link.
func (r Reality) Key(uuid string) string {
	query := url.Values{
		"encryption": {"none"}, "security": {"reality"}, "type": {"tcp"},
		"flow": {r.Flow}, "sni": {r.ServerName}, "fp": {r.Fingerprint}, "pbk": {r.PublicKey}, "sid": {r.ShortID},
	}
	address := url.URL{
		Scheme: "vless", User: url.User(uuid), Host: net.JoinHostPort(r.Host, strconv.Itoa(int(r.Port))),
		RawQuery: query.Encode(), Fragment: linkName,
	}
	return address.String()
}
