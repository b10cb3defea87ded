package config

import (
	"fmt"
	"io"
	"net/url"
	"text/tabwriter"
)

// Describe writes what would be used, a variable a line, secrets redacted. Of an address with a password in it the
// scheme, user, host and path are shown, because those are what people get wrong.
func (c *Config) Describe(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "APP_ENV\t%s\n", c.Environment)
	for name, value := range c.fields() {
		text := fmt.Sprint(value.Interface())
		if secret, ok := value.Interface().(Secret); ok {
			text = describeSecret(secret)
			if name == "VPN_NODES" {
				text = describeNodes(secret)
			}
			if IsLocalRequisitesKey(secret) {
				text = redacted + " (the local default, known to everybody)"
			}
		}
		if text == "" {
			text = "(not set)"
		}
		_, _ = fmt.Fprintf(table, "%s%s\t%s\n", c.Environment.Prefix(), name, text)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("describing the configuration: %w", err)
	}
	return nil
}

func describeSecret(secret Secret) string {
	if !secret.IsSet() {
		return ""
	}
	address, err := url.Parse(secret.Reveal())
	if err != nil || address.Scheme == "" || address.Host == "" {
		return redacted
	}
	shown := url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path}
	if address.User != nil {
		if name := address.User.Username(); name != "" {
			shown.User = url.User(name)
		}
	}
	// Of the parameters, those that name servers.
	all, harmless := address.Query(), url.Values{}
	for _, name := range []string{"addr", "master_name"} {
		if values, isThere := all[name]; isThere {
			harmless[name] = values
			delete(all, name)
		}
	}
	shown.RawQuery = harmless.Encode()
	text := shown.String()
	if _, hasPassword := address.User.Password(); hasPassword || len(all) > 0 {
		text += " " + redacted
	}
	return text
}
