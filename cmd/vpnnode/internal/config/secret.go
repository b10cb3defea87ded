package config

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret prints as [redacted] whatever prints it. All that can be done with it is to compare.
type Secret struct {
	digest *[sha256.Size]byte
}

// NewSecret hides the text.
func NewSecret(text string) Secret {
	digest := sha256.Sum256([]byte(text))
	return Secret{digest: &digest}
}

// Matches compares in constant time, whatever the lengths. The empty Secret matches nothing.
func (s Secret) Matches(text string) bool {
	if s.digest == nil {
		return false
	}
	digest := sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare(s.digest[:], digest[:]) == 1
}

// String implements fmt.Stringer.
func (s Secret) String() string { return redacted }

// Format implements fmt.Formatter for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText makes JSON and other encoders print the placeholder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
