package config

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a token, a key or an address with a password in it. Whatever prints it (fmt with any verb, slog, JSON)
// shows [redacted], also when it sits in an unexported field of a struct that is printed.
type Secret struct {
	value *string // a pointer: fmt cannot call methods on unexported fields, but shows only the address of this
}

// NewSecret hides the text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{value: &text}
}

// Reveal returns the text, for the one place that sends it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsSet says whether there is anything to hide.
func (s Secret) IsSet() bool { return s.value != nil }

// String implements fmt.Stringer.
func (s Secret) String() string { return redacted }

// Format implements fmt.Formatter for every verb.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(redacted)) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText makes JSON, YAML and other encoders print the placeholder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText takes the text as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
