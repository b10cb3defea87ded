// Package reconcile compares what a provider says it has taken with what is in the books, and books what is missing there.
//
// The provider is asked first and the books after it, so that money which comes meanwhile is missing on neither side. Each
// charge is looked up by its id on the other side, whenever it was booked there: only the ids decide, never two clocks.
package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

// Charge is money that a provider says it has taken, as it would be booked.
type Charge struct {
	Settle sqlapi.SettlePaymentParams
	PaidAt time.Time
	// Reverse is how it would be taken back, if the provider has given the money back; else nil.
	Reverse *sqlapi.ReversePaymentParams
}

// Provider is asked about its charges.
type Provider interface {
	Name() atlas.Provider
	// Charges are those that were taken, or given back, from one moment on and before another.
	Charges(ctx context.Context, from, to time.Time) ([]Charge, error)
	// Find gives those of the charges that the provider knows.
	Find(ctx context.Context, ids []string) ([]Charge, error)
	// TellsRefunds says whether a charge that was given back can be told from one that was not.
	TellsRefunds() bool
}

// Books is what this package needs of schema billing.
type Books interface {
	ListPayments(ctx context.Context, provider atlas.Provider, from, to time.Time) ([]sqlapi.Payment, error)
	FindPayments(ctx context.Context, provider atlas.Provider, charges []string) ([]sqlapi.Payment, error)
	SettlePayment(ctx context.Context, p sqlapi.SettlePaymentParams) (sqlapi.Settlement, error)
	ReversePayment(ctx context.Context, p sqlapi.ReversePaymentParams) (sqlapi.Reversal, error)
}

// Kind is what became of comparing one charge.
type Kind string

// The kinds. All but Agreed and InSuspense are differences.
const (
	Agreed            Kind = "agreed"
	InSuspense        Kind = "in suspense"         // agreed, but nobody's: an admin has to assign it or give it back
	MissingInBooks    Kind = "missing in books"    // Apply books it
	NotReversed       Kind = "not taken back"      // given back by the provider; Apply takes back what it gave
	MissingAtProvider Kind = "missing at provider" // money that the provider does not know of
	AmountDiffers     Kind = "amount differs"
	OnlyReversedHere  Kind = "taken back only in books" // the provider has kept the money
)

// Kinds are all of them, in the order in which they are shown.
func Kinds() []Kind {
	return []Kind{Agreed, InSuspense, MissingInBooks, NotReversed, MissingAtProvider, AmountDiffers, OnlyReversedHere}
}

// IsDifference says whether somebody has to act.
func (k Kind) IsDifference() bool { return k != Agreed && k != InSuspense }

// Finding is one charge, as each side has it; nil where a side does not know it.
type Finding struct {
	Kind    Kind
	ID      string
	Charge  *Charge
	Payment *sqlapi.Payment
}

// Compare looks at the charges of a period, by the provider's time or the books'.
func Compare(ctx context.Context, books Books, provider Provider, from, to time.Time) ([]Finding, error) {
	charges, err := provider.Charges(ctx, from, to)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", provider.Name(), err)
	}
	listed, err := books.ListPayments(ctx, provider.Name(), from, to)
	if err != nil {
		return nil, fmt.Errorf("reading the books: %w", err)
	}
	byID := map[string]*Finding{}
	for _, charge := range charges {
		byID[charge.Settle.ChargeID] = &Finding{ID: charge.Settle.ChargeID, Charge: &charge}
	}
	var unknown []string
	for _, payment := range listed {
		if byID[payment.ChargeID] == nil {
			byID[payment.ChargeID] = &Finding{ID: payment.ChargeID, Payment: &payment}
			unknown = append(unknown, payment.ChargeID)
		}
	}
	elsewhere, err := provider.Find(ctx, unknown)
	if err != nil {
		return nil, fmt.Errorf("asking %s about charges of another period: %w", provider.Name(), err)
	}
	for _, charge := range elsewhere {
		byID[charge.Settle.ChargeID].Charge = &charge
	}
	booked, err := books.FindPayments(ctx, provider.Name(), chargeIDs(charges))
	if err != nil {
		return nil, fmt.Errorf("reading the books: %w", err)
	}
	for _, payment := range booked {
		byID[payment.ChargeID].Payment = &payment
	}
	findings := make([]Finding, 0, len(byID))
	for _, found := range byID {
		found.Kind = found.kind(provider.TellsRefunds())
		findings = append(findings, *found)
	}
	slices.SortFunc(findings, func(a, b Finding) int {
		if order := a.at().Compare(b.at()); order != 0 {
			return order
		}
		return strings.Compare(a.ID, b.ID)
	})
	return findings, nil
}

func chargeIDs(charges []Charge) []string {
	ids := make([]string, len(charges))
	for i, charge := range charges {
		ids[i] = charge.Settle.ChargeID
	}
	return ids
}

// at is when the money came, by the provider's clock where the provider knows.
func (f Finding) at() time.Time {
	if f.Charge != nil {
		return f.Charge.PaidAt
	}
	return f.Payment.ReceivedAt
}

func (f Finding) kind(tellsRefunds bool) Kind {
	switch {
	case f.Payment == nil:
		return MissingInBooks
	case f.Charge == nil:
		return MissingAtProvider
	case f.Charge.Settle.AmountMinor != f.Payment.AmountMinor || f.Charge.Settle.Currency != f.Payment.Currency:
		return AmountDiffers
	case f.Charge.Reverse != nil && f.Payment.Outcome != atlas.Reversed:
		return NotReversed
	case tellsRefunds && f.Charge.Reverse == nil && f.Payment.Outcome == atlas.Reversed:
		return OnlyReversedHere
	case f.Payment.Outcome == atlas.Suspense:
		return InSuspense
	}
	return Agreed
}

// Apply brings the books to what the provider says: it books a charge that is missing there and takes back what was given
// back. Both are keyed by the charge, so that doing it again, or while a webhook does the same, changes nothing. False: this
// difference is for a person to judge.
func Apply(ctx context.Context, books Books, found Finding) (isMended bool, err error) {
	if found.Kind != MissingInBooks && found.Kind != NotReversed {
		return false, nil
	}
	ctx = obs.WithCorrelationID(ctx, string(found.Charge.Settle.Provider)+"-"+found.ID)
	if found.Kind == MissingInBooks {
		if _, err := books.SettlePayment(ctx, found.Charge.Settle); err != nil {
			return false, fmt.Errorf("booking charge %s: %w", found.ID, err)
		}
	}
	if found.Charge.Reverse != nil {
		if _, err := books.ReversePayment(ctx, *found.Charge.Reverse); err != nil {
			return false, fmt.Errorf("taking charge %s back: %w", found.ID, err)
		}
	}
	return true, nil
}
