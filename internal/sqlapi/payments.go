package sqlapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
)

// Precheck is the answer to Telegram's pre_checkout_query. Refusal is empty if the purchase can be paid.
type Precheck struct {
	IsPayable bool   `db:"is_payable"`
	Refusal   string `db:"refusal"`
}

var billingPrecheck = define(`select is_payable, coalesce(refusal, '') as refusal
from billing.precheck(p_telegram_id => @p_telegram_id, p_purchase_id => @p_purchase_id,
  p_amount_minor => @p_amount_minor, p_currency => @p_currency)`, false)

// Precheck asks whether a payment that is about to be made would buy the purchase.
func (b Billing) Precheck(
	ctx context.Context, user atlas.TelegramID, purchase atlas.PurchaseID, amountMinor int64, currency atlas.Currency,
) (Precheck, error) {
	return one[Precheck](ctx, b.db, billingPrecheck, pgx.StrictNamedArgs{
		"p_telegram_id":  int64(user),
		"p_purchase_id":  string(purchase),
		"p_amount_minor": amountMinor,
		"p_currency":     string(currency),
	}, aboutPurchase(user, purchase))
}

// WayToPay is a provider and what it would be asked for. Refusal says why it is not offered.
type WayToPay struct {
	Provider    string         `db:"provider"`
	AmountMinor int64          `db:"amount_minor"`
	Currency    atlas.Currency `db:"currency"`
	IsOffered   bool           `db:"is_offered"`
	Refusal     string         `db:"refusal"`
}

var billingWaysToPay = define(`select provider, coalesce(amount_minor, 0) as amount_minor,
  coalesce(currency, '') as currency, is_offered, coalesce(refusal, '') as refusal
from billing.ways_to_pay(p_telegram_id => @p_telegram_id, p_purchase_id => @p_purchase_id)`, false).reading()

// WaysToPay reads how a purchase can be paid.
func (b Billing) WaysToPay(
	ctx context.Context, user atlas.TelegramID, purchase atlas.PurchaseID,
) ([]WayToPay, error) {
	return many[WayToPay](ctx, b.db, billingWaysToPay, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_purchase_id": string(purchase),
	}, aboutPurchase(user, purchase))
}

// AttachInvoiceParams ties a provider's invoice to a purchase, for exactly the amount that WaysToPay named.
type AttachInvoiceParams struct {
	PurchaseID  atlas.PurchaseID
	Provider    atlas.Provider
	InvoiceID   string
	AmountMinor int64
	Currency    atlas.Currency
}

// AttachedInvoice is the answer to an attachment.
type AttachedInvoice struct {
	PurchaseID atlas.PurchaseID `db:"purchase_id"`
	IsReplay   bool             `db:"is_replay"`
}

var billingAttachInvoice = define(`select purchase_id, is_replay
from billing.attach_invoice(p_purchase_id => @p_purchase_id, p_provider => @p_provider,
  p_invoice_id => @p_invoice_id, p_amount_minor => @p_amount_minor, p_currency => @p_currency)`, false)

// AttachInvoice records the provider's invoice before the user can pay it.
func (b Billing) AttachInvoice(ctx context.Context, p AttachInvoiceParams) (AttachedInvoice, error) {
	attached, err := one[AttachedInvoice](ctx, b.db, billingAttachInvoice, pgx.StrictNamedArgs{
		"p_purchase_id":  string(p.PurchaseID),
		"p_provider":     string(p.Provider),
		"p_invoice_id":   p.InvoiceID,
		"p_amount_minor": p.AmountMinor,
		"p_currency":     string(p.Currency),
	}, aboutPurchase(0, p.PurchaseID))
	if err == nil && !attached.IsReplay {
		obs.Money(ctx, b.db.log, obs.InvoiceAttached, purchaseAttr(p.PurchaseID),
			slog.String("provider", string(p.Provider)), slog.String("invoice_id", p.InvoiceID))
	}
	return attached, err
}

// SettlePaymentParams is money that a provider says it has received. PurchaseID may be empty (unknown) and PayerID 0 (the
// provider names nobody). Raw is the provider's own text of the event.
type SettlePaymentParams struct {
	Provider    atlas.Provider
	ChargeID    string
	PurchaseID  atlas.PurchaseID
	PayerID     atlas.TelegramID
	AmountMinor int64
	Currency    atlas.Currency
	Raw         json.RawMessage
}

// Settlement is what became of the money. TelegramID is 0 for money in suspense.
type Settlement struct {
	PaymentID             int64               `db:"payment_id"`
	Outcome               atlas.SettleOutcome `db:"outcome"`
	TelegramID            atlas.TelegramID    `db:"telegram_id"`
	Credited              atlas.Kopecks       `db:"credited_kopecks"`
	SubscriptionExpiresAt *time.Time          `db:"subscription_expires_at"`
	IsReplay              bool                `db:"is_replay"`
}

var billingSettlePayment = define(`select payment_id, outcome, coalesce(telegram_id, 0) as telegram_id,
  coalesce(credited_kopecks, 0) as credited_kopecks, subscription_expires_at, is_replay
from billing.settle_payment(p_provider => @p_provider, p_charge_id => @p_charge_id, p_purchase_id => @p_purchase_id,
  p_payer_id => @p_payer_id, p_amount_minor => @p_amount_minor, p_currency => @p_currency, p_raw => @p_raw)`, false)

// SettlePayment books received money. It is never refused; the same charge again is a replay.
func (b Billing) SettlePayment(ctx context.Context, p SettlePaymentParams) (Settlement, error) {
	settled, err := one[Settlement](ctx, b.db, billingSettlePayment, pgx.StrictNamedArgs{
		"p_provider":     string(p.Provider),
		"p_charge_id":    p.ChargeID,
		"p_purchase_id":  textOrNull(string(p.PurchaseID)),
		"p_payer_id":     numberOrNull(int64(p.PayerID)),
		"p_amount_minor": p.AmountMinor,
		"p_currency":     string(p.Currency),
		"p_raw":          p.Raw,
	}, aboutPurchase(p.PayerID, p.PurchaseID))
	if err == nil && !settled.IsReplay {
		b.db.money(ctx, settleEvents[settled.Outcome], settled.TelegramID, purchaseAttr(p.PurchaseID),
			slog.String("provider", string(p.Provider)), slog.Int64("payment_id", settled.PaymentID),
			slog.Int64("amount_minor", p.AmountMinor), slog.String("currency", string(p.Currency)),
			slog.Int64("credited_kopecks", int64(settled.Credited)))
	}
	return settled, err
}

var settleEvents = map[atlas.SettleOutcome]obs.MoneyEvent{
	atlas.Applied:  obs.PaymentApplied,
	atlas.Credited: obs.PaymentCredited,
	atlas.Suspense: obs.PaymentSuspended,
	atlas.Reversed: obs.PaymentReversed,
}

// PendingInvoice is an invoice that was attached and has not been paid.
type PendingInvoice struct {
	PurchaseID  atlas.PurchaseID `db:"purchase_id"`
	InvoiceID   string           `db:"invoice_id"`
	AmountMinor int64            `db:"amount_minor"`
	Currency    atlas.Currency   `db:"currency"`
	AttachedAt  time.Time        `db:"attached_at"`
}

var billingPendingInvoices = define(`select purchase_id, invoice_id, amount_minor, currency, attached_at
from billing.pending_invoices(p_provider => @p_provider, p_before_at => @p_before_at,
  p_before_invoice_id => @p_before_invoice_id, p_limit => @p_limit)`, false)

// PendingInvoices reads a page of the invoices of the last days that a poller should ask the provider about, newest first.
// The next page begins after the last invoice of this one; nil begins.
func (b Billing) PendingInvoices(
	ctx context.Context, provider atlas.Provider, after *PendingInvoice, limit int,
) ([]PendingInvoice, error) {
	args := pgx.StrictNamedArgs{
		"p_provider": string(provider), "p_limit": limit, "p_before_at": nil, "p_before_invoice_id": nil,
	}
	if after != nil {
		args["p_before_at"], args["p_before_invoice_id"] = after.AttachedAt, after.InvoiceID
	}
	return many[PendingInvoice](ctx, b.db, billingPendingInvoices, args, bySystem())
}

// ReversePaymentParams is a provider's word that it has taken a charge back: a refund or a chargeback.
type ReversePaymentParams struct {
	Provider    atlas.Provider
	ChargeID    string
	AmountMinor int64
	Currency    atlas.Currency
	Raw         json.RawMessage
}

// Reversal is what became of it. Debt is what the user no longer had.
type Reversal struct {
	PaymentID int64               `db:"payment_id"`
	Outcome   atlas.SettleOutcome `db:"outcome"`
	Debt      atlas.Kopecks       `db:"debt_kopecks"`
	IsReplay  bool                `db:"is_replay"`
}

var billingReversePayment = define(`select payment_id, outcome, debt_kopecks, is_replay
from billing.reverse_payment(p_provider => @p_provider, p_charge_id => @p_charge_id, p_amount_minor => @p_amount_minor,
  p_currency => @p_currency, p_raw => @p_raw)`, false)

// ReversePayment takes back what a charge gave. It is never refused; the same charge again is a replay.
func (b Billing) ReversePayment(ctx context.Context, p ReversePaymentParams) (Reversal, error) {
	reversed, err := one[Reversal](ctx, b.db, billingReversePayment, pgx.StrictNamedArgs{
		"p_provider":     string(p.Provider),
		"p_charge_id":    p.ChargeID,
		"p_amount_minor": p.AmountMinor,
		"p_currency":     string(p.Currency),
		"p_raw":          p.Raw,
	}, bySystem())
	if err == nil && !reversed.IsReplay {
		obs.Money(ctx, b.db.log, obs.PaymentReversed, slog.String("provider", string(p.Provider)),
			slog.Int64("payment_id", reversed.PaymentID), slog.Int64("amount_minor", p.AmountMinor),
			slog.String("currency", string(p.Currency)), slog.Int64("debt_kopecks", int64(reversed.Debt)))
	}
	return reversed, err
}

// ApproveManualParams is money for a purchase that an admin has seen arrive.
type ApproveManualParams struct {
	AdminID    atlas.TelegramID
	PurchaseID atlas.PurchaseID
	Amount     atlas.Kopecks
	Note       string
}

var billingApproveManual = define(`select payment_id, outcome, coalesce(telegram_id, 0) as telegram_id,
  coalesce(credited_kopecks, 0) as credited_kopecks, subscription_expires_at, is_replay
from billing.approve_manual(p_admin_id => @p_admin_id, p_purchase_id => @p_purchase_id,
  p_amount_kopecks => @p_amount_kopecks, p_note => @p_note)`, false)

// ApproveManual books it, like SettlePayment. Once per purchase: atlas.ErrPurchaseNotOpen for another admin.
func (b Billing) ApproveManual(ctx context.Context, p ApproveManualParams) (Settlement, error) {
	settled, err := one[Settlement](ctx, b.db, billingApproveManual, pgx.StrictNamedArgs{
		"p_admin_id":       int64(p.AdminID),
		"p_purchase_id":    string(p.PurchaseID),
		"p_amount_kopecks": int64(p.Amount),
		"p_note":           p.Note,
	}, aboutPurchase(p.AdminID, p.PurchaseID))
	if err == nil && !settled.IsReplay {
		b.db.money(ctx, settleEvents[settled.Outcome], settled.TelegramID, purchaseAttr(p.PurchaseID),
			slog.String("provider", "manual"), slog.Int64("payment_id", settled.PaymentID),
			slog.Int64("amount_minor", int64(p.Amount)), slog.Int64("admin_id", int64(p.AdminID)),
			slog.Int64("credited_kopecks", int64(settled.Credited)))
	}
	return settled, err
}

// Refund is what a refunded purchase gave back. SubscriptionExpiresAt is nil where no subscription is left.
type Refund struct {
	PurchaseID            atlas.PurchaseID `db:"purchase_id"`
	Refunded              atlas.Kopecks    `db:"refunded_kopecks"`
	SubscriptionExpiresAt *time.Time       `db:"subscription_expires_at"`
	IsReplay              bool             `db:"is_replay"`
}

var billingRefundPurchase = define(`select purchase_id, refunded_kopecks, subscription_expires_at, is_replay
from billing.refund_purchase(p_admin_id => @p_admin_id, p_purchase_id => @p_purchase_id, p_reason => @p_reason)`, false)

// RefundPurchase gives a paid subscription's whole price back to the buyer's balance and takes its time away;
// atlas.ErrPurchaseNotOpen if it is not paid, a top-up, or taken back by somebody else.
func (b Billing) RefundPurchase(
	ctx context.Context, admin atlas.TelegramID, purchase atlas.PurchaseID, reason string,
) (Refund, error) {
	refunded, err := one[Refund](ctx, b.db, billingRefundPurchase, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_purchase_id": string(purchase), "p_reason": reason,
	}, aboutPurchase(admin, purchase))
	if err == nil && !refunded.IsReplay {
		obs.Money(ctx, b.db.log, obs.PurchaseRefunded, purchaseAttr(purchase),
			slog.Int64("refunded_kopecks", int64(refunded.Refunded)), slog.Int64("admin_id", int64(admin)))
	}
	return refunded, err
}

// ResolveSuspenseParams assigns money in suspense. Amount is 0 for roubles as received.
type ResolveSuspenseParams struct {
	AdminID    atlas.TelegramID
	PaymentID  int64
	TelegramID atlas.TelegramID
	Amount     atlas.Kopecks
	Note       string
}

// Resolution is what became of it.
type Resolution struct {
	PaymentID int64               `db:"payment_id"`
	Outcome   atlas.SettleOutcome `db:"outcome"`
	IsReplay  bool                `db:"is_replay"`
}

var billingResolveSuspense = define(`select payment_id, outcome, is_replay
from billing.resolve_suspense(p_admin_id => @p_admin_id, p_payment_id => @p_payment_id, p_telegram_id => @p_telegram_id,
  p_amount_kopecks => @p_amount_kopecks, p_note => @p_note)`, false)

// ResolveSuspense puts money in suspense on a user's balance, once; atlas.ErrNotInSuspense after that.
func (b Billing) ResolveSuspense(ctx context.Context, p ResolveSuspenseParams) (Resolution, error) {
	resolved, err := one[Resolution](ctx, b.db, billingResolveSuspense, pgx.StrictNamedArgs{
		"p_admin_id":       int64(p.AdminID),
		"p_payment_id":     p.PaymentID,
		"p_telegram_id":    int64(p.TelegramID),
		"p_amount_kopecks": numberOrNull(int64(p.Amount)),
		"p_note":           p.Note,
	}, byAdmin(p.AdminID, p.TelegramID))
	if err == nil && !resolved.IsReplay {
		b.db.money(ctx, settleEvents[resolved.Outcome], p.TelegramID, slog.Int64("payment_id", resolved.PaymentID),
			slog.Int64("admin_id", int64(p.AdminID)))
	}
	return resolved, err
}
