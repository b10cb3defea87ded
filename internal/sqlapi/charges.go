package sqlapi

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
)

// Payment is a provider's charge as it is in the books. TelegramID is 0 while it is nobody's, PayerID where the provider
// named nobody, PurchaseID empty where it named none.
type Payment struct {
	PaymentID      int64               `db:"payment_id"`
	ChargeID       string              `db:"charge_id"`
	TelegramID     atlas.TelegramID    `db:"telegram_id"`
	PayerID        atlas.TelegramID    `db:"payer_id"`
	PurchaseID     atlas.PurchaseID    `db:"purchase_id"`
	AmountMinor    int64               `db:"amount_minor"`
	Currency       atlas.Currency      `db:"currency"`
	Outcome        atlas.SettleOutcome `db:"outcome"`
	SuspenseReason string              `db:"suspense_reason"`
	ReceivedAt     time.Time           `db:"received_at"`
	ReversedAt     *time.Time          `db:"reversed_at"`
	RefundBegunAt  *time.Time          `db:"refund_begun_at"`
}

// paymentColumns are those of Payment.
const paymentColumns = `select payment_id, charge_id, coalesce(telegram_id, 0) as telegram_id,
  coalesce(payer_id, 0) as payer_id, coalesce(purchase_id::text, '') as purchase_id, amount_minor, currency, outcome,
  coalesce(suspense_reason, '') as suspense_reason, received_at, reversed_at, refund_begun_at
`

var billingListPayments = define(paymentColumns+`from billing.list_payments(p_provider => @p_provider, p_from => @p_from,
  p_to => @p_to, p_after_payment_id => @p_after_payment_id, p_limit => @p_limit)`, false)

// paymentsPage is what billing.list_payments and find_payments take at once.
const paymentsPage = 1000

// ListPayments reads all payments of a provider that were received from one moment on and before another.
func (b Billing) ListPayments(ctx context.Context, provider atlas.Provider, from, to time.Time) ([]Payment, error) {
	var all []Payment
	for after := int64(0); ; {
		page, err := many[Payment](ctx, b.db, billingListPayments, pgx.StrictNamedArgs{
			"p_provider": string(provider), "p_from": from, "p_to": to, "p_after_payment_id": after, "p_limit": paymentsPage,
		}, bySystem())
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < paymentsPage {
			return all, nil
		}
		last := page[len(page)-1]
		from, after = last.ReceivedAt, last.PaymentID
	}
}

var billingFindPayments = define(paymentColumns+`from billing.find_payments(p_provider => @p_provider,
  p_charge_ids => @p_charge_ids)`, false)

// FindPayments reads those of a provider's charges that are in the books.
func (b Billing) FindPayments(ctx context.Context, provider atlas.Provider, charges []string) ([]Payment, error) {
	var all []Payment
	for len(charges) > 0 {
		page := charges[:min(paymentsPage, len(charges))]
		charges = charges[len(page):]
		found, err := many[Payment](ctx, b.db, billingFindPayments, pgx.StrictNamedArgs{
			"p_provider": string(provider), "p_charge_ids": page,
		}, bySystem())
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// BegunRefund is a charge that a provider is to be asked to give back. PayerID is 0 if nobody knows who has paid it.
type BegunRefund struct {
	PaymentID   int64               `db:"payment_id"`
	PayerID     atlas.TelegramID    `db:"payer_id"`
	AmountMinor int64               `db:"amount_minor"`
	Currency    atlas.Currency      `db:"currency"`
	Outcome     atlas.SettleOutcome `db:"outcome"`
	IsReplay    bool                `db:"is_replay"`
}

var billingBeginRefund = define(`select payment_id, coalesce(payer_id, 0) as payer_id, amount_minor, currency, outcome, is_replay
from billing.begin_refund(p_admin_id => @p_admin_id, p_provider => @p_provider, p_charge_id => @p_charge_id,
  p_reason => @p_reason)`, false)

// BeginRefund notes who wants a charge given back, and why, before the provider is asked. It moves no money: that is
// ReversePayment, once the provider has given it back.
func (b Billing) BeginRefund(
	ctx context.Context, admin atlas.TelegramID, provider atlas.Provider, charge, reason string,
) (BegunRefund, error) {
	begun, err := one[BegunRefund](ctx, b.db, billingBeginRefund, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_provider": string(provider), "p_charge_id": charge, "p_reason": reason,
	}, byAdmin(admin, 0))
	if err == nil && !begun.IsReplay {
		obs.Money(ctx, b.db.log, obs.RefundBegun, slog.String("provider", string(provider)),
			slog.Int64("payment_id", begun.PaymentID), slog.Int64("amount_minor", begun.AmountMinor),
			slog.String("currency", string(begun.Currency)), slog.Int64("admin_id", int64(admin)))
	}
	return begun, err
}
