package reconcile_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/pay/reconcile"
	"atlas-secure/internal/sqlapi"
)

var day = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// provider says what it was told to: charges of the period, and those that are found by their ids only.
type provider struct{ charges, others []reconcile.Charge }

func (*provider) Name() atlas.Provider { return atlas.TelegramStars }
func (*provider) TellsRefunds() bool   { return true }

func (p *provider) Charges(context.Context, time.Time, time.Time) ([]reconcile.Charge, error) {
	return p.charges, nil
}

func (p *provider) Find(_ context.Context, ids []string) ([]reconcile.Charge, error) {
	return those(p.others, ids, func(c reconcile.Charge) string { return c.Settle.ChargeID }), nil
}

// books are the same: payments of the period, and those that are found by their charges only.
type books struct {
	payments, others  []sqlapi.Payment
	settled, reversed []string
}

func (b *books) ListPayments(context.Context, atlas.Provider, time.Time, time.Time) ([]sqlapi.Payment, error) {
	return b.payments, nil
}

func (b *books) FindPayments(_ context.Context, _ atlas.Provider, charges []string) ([]sqlapi.Payment, error) {
	return those(append(b.others, b.payments...), charges, func(p sqlapi.Payment) string { return p.ChargeID }), nil
}

func (b *books) SettlePayment(_ context.Context, p sqlapi.SettlePaymentParams) (sqlapi.Settlement, error) {
	b.settled = append(b.settled, p.ChargeID)
	return sqlapi.Settlement{}, nil
}

func (b *books) ReversePayment(_ context.Context, p sqlapi.ReversePaymentParams) (sqlapi.Reversal, error) {
	b.reversed = append(b.reversed, p.ChargeID)
	return sqlapi.Reversal{}, nil
}

func those[T any](all []T, ids []string, idOf func(T) string) (found []T) {
	for _, id := range ids {
		for _, each := range all {
			if idOf(each) == id {
				found = append(found, each)
			}
		}
	}
	return found
}

func charge(id string, isReversed bool) reconcile.Charge {
	c := reconcile.Charge{Settle: sqlapi.SettlePaymentParams{ChargeID: id, AmountMinor: 88, Currency: atlas.XTR}, PaidAt: day}
	if isReversed {
		c.Reverse = &sqlapi.ReversePaymentParams{ChargeID: id, AmountMinor: 88, Currency: atlas.XTR}
	}
	return c
}

func payment(id string, amount int64, outcome atlas.SettleOutcome) sqlapi.Payment {
	return sqlapi.Payment{ChargeID: id, AmountMinor: amount, Currency: atlas.XTR, Outcome: outcome, ReceivedAt: day}
}

// TestEachKindOfDifference has one charge of each kind, and among those that agree one that was taken in the period and booked
// after it, and one that was booked in the period and taken before it. What can be booked is, and nothing else.
func TestEachKindOfDifference(t *testing.T) {
	t.Parallel()
	p := &provider{
		charges: []reconcile.Charge{
			charge("1 agreed", false), charge("2 booked later", false), charge("4 given back", true), charge("5 nobody's", false),
			charge("6 lost", false), charge("7 lost and given back", true), charge("8 given back", true), charge("9 another amount", false),
			charge("A kept", false),
		},
		others: []reconcile.Charge{charge("3 taken before", false)},
	}
	b := &books{
		payments: []sqlapi.Payment{
			payment("1 agreed", 88, atlas.Applied), payment("3 taken before", 88, atlas.Applied), payment("4 given back", 88, atlas.Reversed),
			payment("5 nobody's", 88, atlas.Suspense), payment("8 given back", 88, atlas.Applied), payment("9 another amount", 87, atlas.Applied),
			payment("A kept", 88, atlas.Reversed), payment("B made up", 88, atlas.Applied),
		},
		others: []sqlapi.Payment{payment("2 booked later", 88, atlas.Applied)},
	}
	found, err := reconcile.Compare(t.Context(), b, p, day, day.AddDate(0, 1, 0))
	require.NoError(t, err)
	kinds := map[string]reconcile.Kind{}
	mended := []string{}
	for _, each := range found {
		kinds[each.ID] = each.Kind
		isMended, err := reconcile.Apply(t.Context(), b, each)
		require.NoError(t, err)
		if isMended {
			mended = append(mended, each.ID)
		}
	}
	require.Equal(t, map[string]reconcile.Kind{
		"1 agreed": reconcile.Agreed, "2 booked later": reconcile.Agreed, "3 taken before": reconcile.Agreed, "4 given back": reconcile.Agreed,
		"5 nobody's": reconcile.InSuspense, "6 lost": reconcile.MissingInBooks, "7 lost and given back": reconcile.MissingInBooks,
		"8 given back": reconcile.NotReversed, "9 another amount": reconcile.AmountDiffers, "A kept": reconcile.OnlyReversedHere,
		"B made up": reconcile.MissingAtProvider,
	}, kinds)
	require.Equal(t, []string{"6 lost", "7 lost and given back", "8 given back"}, mended)
	require.Equal(t, []string{"6 lost", "7 lost and given back"}, b.settled)
	require.Equal(t, []string{"7 lost and given back", "8 given back"}, b.reversed)
}
