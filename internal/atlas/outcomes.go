package atlas

import (
	"fmt"
	"log/slog"
	"time"
)

// SettleOutcome is how a provider's payment ended; each charge id ends in exactly one of them.
type SettleOutcome string

// The outcomes of a payment.
const (
	Applied  SettleOutcome = "applied"
	Credited SettleOutcome = "credited"
	Suspense SettleOutcome = "suspense"
	Reversed SettleOutcome = "reversed"
)

// SubscriptionStatus is what a person has now.
type SubscriptionStatus string

// The states of a subscription.
const (
	NoSubscription      SubscriptionStatus = "none"
	TrialSubscription   SubscriptionStatus = "trial"
	ActiveSubscription  SubscriptionStatus = "active"
	ExpiredSubscription SubscriptionStatus = "expired"
)

// DraftStatus is what became of a drafted withdrawal.
type DraftStatus string

// The states of a draft.
const (
	DraftOpen      DraftStatus = "open"
	DraftSubmitted DraftStatus = "submitted"
	DraftExpired   DraftStatus = "expired"
)

// Activation is how far the delivery of the key got.
type Activation string

// The states of an activation.
const (
	NoActivation      Activation = "none"
	ActivationPending Activation = "pending"
	ActivationDone    Activation = "active"
	ActivationFailed  Activation = "failed"
)

// VPNAction is what a provisioning job wants from a node.
type VPNAction string

// The actions of provisioning jobs.
const (
	VPNAdd    VPNAction = "add"
	VPNRemove VPNAction = "remove"
)

// VPNUser is one identity that a node should let in, with the number of devices it may use at once. Whose it is and when
// it ends matter to nodes that keep such things themselves.
type VPNUser struct {
	UUID        string     `json:"uuid"`
	DeviceLimit int        `json:"device_limit"`
	TelegramID  TelegramID `json:"-"`
	ExpiresAt   time.Time  `json:"-"`
}

// LogValue hides the identity, which is all that a client needs to connect.
func (u VPNUser) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format hides the identity from every verb of fmt.
func (u VPNUser) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(redacted)) }

const redacted = "[redacted]"

// KeyURI is the link that lets its holder in, whatever its scheme. It prints as [redacted]; Reveal gives the text.
type KeyURI string

// Reveal returns the link, to be shown to its owner only.
func (k KeyURI) Reveal() string { return string(k) }

// String hides the link.
func (k KeyURI) String() string { return redacted }

// Format hides the link from every verb of fmt.
func (k KeyURI) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(redacted)) }

// LogValue hides the link from slog.
func (k KeyURI) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the link from JSON and everything else that encodes text.
func (k KeyURI) MarshalText() ([]byte, error) { return []byte(redacted), nil }
