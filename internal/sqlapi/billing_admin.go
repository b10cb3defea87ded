package sqlapi

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// SuspendedPayment is money that is nobody's yet. AmountMinor is in the smallest unit of Currency.
type SuspendedPayment struct {
	PaymentID   int64          `db:"payment_id"`
	Provider    atlas.Provider `db:"provider"`
	AmountMinor int64          `db:"amount_minor"`
	Currency    atlas.Currency `db:"currency"`
	Why         string         `db:"suspense_reason"`
	ReceivedAt  time.Time      `db:"received_at"`
}

var billingListSuspense = define(`select payment_id, provider, amount_minor, currency, suspense_reason, received_at
from billing.list_suspense(p_admin_id => @p_admin_id, p_after_id => @p_after_id, p_limit => @p_limit)`, false).reading()

// ListSuspense reads a page of the money that is nobody's yet, oldest first. After is the last number of the page before, or 0.
func (b Billing) ListSuspense(ctx context.Context, admin atlas.TelegramID, after int64, limit int) ([]SuspendedPayment, error) {
	return many[SuspendedPayment](ctx, b.db, billingListSuspense, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_after_id": numberOrNull(after), "p_limit": limit,
	}, about(admin))
}

// ShownPayment is a payment as an admin's screens show it. Received is 0 for another currency than roubles; who is unknown is
// 0, and what has not happened is nil. Raw is the beginning of the provider's own words.
type ShownPayment struct {
	SuspendedPayment

	ChargeID       string              `db:"charge_id"`
	PurchaseID     atlas.PurchaseID    `db:"purchase_id"`
	PayerID        atlas.TelegramID    `db:"payer_id"`
	PayerName      string              `db:"payer_name"`
	Received       atlas.Kopecks       `db:"received_kopecks"`
	Outcome        atlas.SettleOutcome `db:"outcome"`
	TelegramID     atlas.TelegramID    `db:"telegram_id"`
	Username       string              `db:"username"`
	Worth          atlas.Kopecks       `db:"worth_kopecks"`
	ResolvedBy     atlas.TelegramID    `db:"resolved_by"`
	ResolvedByName string              `db:"resolved_by_name"`
	ResolvedAt     *time.Time          `db:"resolved_at"`
	Note           string              `db:"resolution_note"`
	ReversedAt     *time.Time          `db:"reversed_at"`
	Raw            string              `db:"raw"`
}

var billingShowPayment = define(`select payment_id, provider, charge_id, coalesce(purchase_id::text, '') as purchase_id,
  coalesce(payer_id, 0) as payer_id, coalesce(payer_name, '') as payer_name, amount_minor, currency,
  coalesce(received_kopecks, 0) as received_kopecks, outcome, coalesce(suspense_reason, '') as suspense_reason, received_at,
  coalesce(telegram_id, 0) as telegram_id, coalesce(username, '') as username, coalesce(worth_kopecks, 0) as worth_kopecks,
  coalesce(resolved_by, 0) as resolved_by, coalesce(resolved_by_name, '') as resolved_by_name, resolved_at,
  coalesce(resolution_note, '') as resolution_note, reversed_at, coalesce(raw, '') as raw
from billing.show_payment(p_admin_id => @p_admin_id, p_payment_id => @p_payment_id)`, false).reading()

// ShowPayment reads a payment. atlas.ErrNotInSuspense: there is none with that number.
func (b Billing) ShowPayment(ctx context.Context, admin atlas.TelegramID, id int64) (ShownPayment, error) {
	return one[ShownPayment](ctx, b.db, billingShowPayment, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_payment_id": id,
	}, actor{id: admin, subject: "payment:" + strconv.FormatInt(id, 10)})
}

// UnpaidPurchase is a purchase that money may have come for past the providers.
type UnpaidPurchase struct {
	PurchaseID atlas.PurchaseID     `db:"purchase_id"`
	Kind       atlas.PurchaseKind   `db:"kind"`
	Status     atlas.PurchaseStatus `db:"status"`
	Tariff     atlas.Tariff         `db:"tariff"`
	Months     int                  `db:"months"`
	Price      atlas.Kopecks        `db:"price_kopecks"`
	OpenedAt   time.Time            `db:"opened_at"`
}

var billingListUnpaid = define(`select purchase_id, kind, status, coalesce(tariff, '') as tariff, coalesce(months, 0) as months,
  price_kopecks, opened_at
from billing.list_unpaid(p_admin_id => @p_admin_id, p_telegram_id => @p_telegram_id, p_limit => @p_limit)`, false).reading()

// ListUnpaid reads a user's purchases that are open, expired or cancelled, newest first.
func (b Billing) ListUnpaid(ctx context.Context, admin, user atlas.TelegramID, limit int) ([]UnpaidPurchase, error) {
	return many[UnpaidPurchase](ctx, b.db, billingListUnpaid, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_telegram_id": int64(user), "p_limit": limit,
	}, byAdmin(admin, user))
}

// InspectedPurchase is a purchase as an admin's screens show it. Manual… is money that an admin has confirmed, Refunded…
// what was given back; RefundedBy is 0 for the provider.
type InspectedPurchase struct {
	UnpaidPurchase

	TelegramID     atlas.TelegramID    `db:"telegram_id"`
	Username       string              `db:"username"`
	ExpiresAt      time.Time           `db:"expires_at"`
	ClosedAt       *time.Time          `db:"closed_at"`
	PaidWith       string              `db:"paid_with"`
	Manual         atlas.Kopecks       `db:"manual_kopecks"`
	ManualBy       atlas.TelegramID    `db:"manual_by"`
	ManualByName   string              `db:"manual_by_name"`
	ManualAt       *time.Time          `db:"manual_at"`
	ManualOutcome  atlas.SettleOutcome `db:"manual_outcome"`
	Refunded       atlas.Kopecks       `db:"refunded_kopecks"`
	RefundedBy     atlas.TelegramID    `db:"refunded_by"`
	RefundedByName string              `db:"refunded_by_name"`
	RefundedAt     *time.Time          `db:"refunded_at"`
	IsRefundable   bool                `db:"is_refundable"`
}

var billingInspectPurchase = define(`select purchase_id, telegram_id, coalesce(username, '') as username, kind, status,
  coalesce(tariff, '') as tariff, coalesce(months, 0) as months, price_kopecks, opened_at, expires_at, closed_at,
  coalesce(paid_with, '') as paid_with, coalesce(manual_kopecks, 0) as manual_kopecks, coalesce(manual_by, 0) as manual_by,
  coalesce(manual_by_name, '') as manual_by_name, manual_at, coalesce(manual_outcome, '') as manual_outcome,
  coalesce(refunded_kopecks, 0) as refunded_kopecks, coalesce(refunded_by, 0) as refunded_by,
  coalesce(refunded_by_name, '') as refunded_by_name, refunded_at, is_refundable
from billing.inspect_purchase(p_admin_id => @p_admin_id, p_purchase_id => @p_purchase_id)`, false).reading()

// InspectPurchase reads anybody's purchase for an admin. atlas.ErrNoSuchPurchase.
func (b Billing) InspectPurchase(ctx context.Context, admin atlas.TelegramID, id atlas.PurchaseID) (InspectedPurchase, error) {
	return one[InspectedPurchase](ctx, b.db, billingInspectPurchase, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_purchase_id": string(id),
	}, aboutPurchase(admin, id))
}
