package obs

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

const redacted = "[redacted]"

// secretKeys are attributes that never show their value, whatever its type.
var secretKeys = map[string]bool{
	"token": true, "secret": true, "password": true, "api_key": true, "authorization": true, "dsn": true,
	"key_uri": true, "vless_link": true, "vpn_uuid": true, "requisites": true, "lease_token": true,
}

// secretForms are texts that are secret wherever they stand: errors of net/http contain the whole address with the bot's
// token in it, errors of drivers a connection string.
var secretForms = []struct {
	form        *regexp.Regexp
	replacement string
}{
	{regexp.MustCompile(`\d{3,}:[A-Za-z0-9_-]{30,}`), redacted},                                         // a bot's token
	{regexp.MustCompile(`(?i)\b(vless|vmess|trojan|ss)://[^\s"]+`), "${1}://" + redacted},               // a VPN key
	{regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@"]*):[^\s/@"]+@`), "${1}:" + redacted + "@"}, // user:password@
	{regexp.MustCompile(`(?i)\b(password|passwd|secret|token|api_key|apikey)=[^\s&"]+`), "${1}=" + redacted},
	{regexp.MustCompile(`/(remove-user|add-user)/[0-9a-fA-F-]{36}`), "/${1}/" + redacted},
}

// Redact removes tokens, keys and passwords from a text.
func Redact(text string) string {
	if !strings.ContainsAny(text, ":=/") {
		return text
	}
	for _, secret := range secretForms {
		text = secret.form.ReplaceAllString(text, secret.replacement)
	}
	return text
}

func redactAttr(_ []string, attr slog.Attr) slog.Attr {
	if secretKeys[attr.Key] {
		return slog.String(attr.Key, redacted)
	}
	switch attr.Value.Kind() {
	case slog.KindString:
		return slog.String(attr.Key, Redact(attr.Value.String()))
	case slog.KindAny:
		return redactAny(attr)
	default:
		return attr
	}
}

// redactAny turns what carries text into redacted text. Sources and levels are slog's own and stay as they are.
func redactAny(attr slog.Attr) slog.Attr {
	switch value := attr.Value.Any().(type) {
	case *slog.Source, slog.Level:
		return attr
	case error:
		return slog.String(attr.Key, Redact(value.Error()))
	case []byte:
		return slog.String(attr.Key, Redact(string(value)))
	default:
		return slog.String(attr.Key, Redact(fmt.Sprintf("%+v", value)))
	}
}
