package sqlapi

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
)

// Billing holds the functions of schema billing: prices, purchases, payments.
type Billing struct{ db *DB }

// Price is a tariff's price for a number of months, before any discount.
type Price struct {
	Tariff      atlas.Tariff  `db:"tariff"`
	Months      int           `db:"months"`
	List        atlas.Kopecks `db:"list_kopecks"`
	DeviceLimit int           `db:"device_limit"`
	OfferID     atlas.OfferID `db:"offer_id"` // what buttons carry
}

var billingListPrices = define(`select tariff, months, list_kopecks, device_limit, offer_id
from billing.list_prices()`, false).reading()

// ListPrices reads what is on sale.
func (b Billing) ListPrices(ctx context.Context) ([]Price, error) {
	return many[Price](ctx, b.db, billingListPrices, pgx.StrictNamedArgs{}, bySystem())
}

// TopupOptions are the limits of a top-up and the amounts offered as buttons.
type TopupOptions struct {
	Minimum atlas.Kopecks   `db:"minimum_kopecks"`
	Maximum atlas.Kopecks   `db:"maximum_kopecks"`
	Presets []atlas.Kopecks `db:"presets_kopecks"`
}

var billingTopupOptions = define(`select minimum_kopecks, maximum_kopecks, presets_kopecks
from billing.topup_options()`, false).reading()

// TopupOptions reads what the top-up screen offers.
func (b Billing) TopupOptions(ctx context.Context) (TopupOptions, error) {
	return one[TopupOptions](ctx, b.db, billingTopupOptions, pgx.StrictNamedArgs{}, bySystem())
}

// Quote is a price for a user, and the end of the subscription if it were paid now.
type Quote struct {
	List                  atlas.Kopecks      `db:"list_kopecks"`
	DiscountKind          atlas.DiscountKind `db:"discount_kind"`
	DiscountPercent       int                `db:"discount_percent"`
	Price                 atlas.Kopecks      `db:"price_kopecks"`
	SubscriptionExpiresAt *time.Time         `db:"subscription_expires_at"`
}

var billingQuote = define(`select list_kopecks, discount_kind, discount_percent, price_kopecks, subscription_expires_at
from billing.quote(p_telegram_id => @p_telegram_id, p_tariff => @p_tariff, p_months => @p_months,
  p_promo_code => @p_promo_code)`, false).reading()

// Quote computes a price and promises nothing.
func (b Billing) Quote(
	ctx context.Context, user atlas.TelegramID, plan atlas.Plan, promoCode string,
) (Quote, error) {
	return one[Quote](ctx, b.db, billingQuote, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user),
		"p_tariff":      string(plan.Tariff),
		"p_months":      plan.Months,
		"p_promo_code":  textOrNull(promoCode),
	}, about(user))
}

// OpenPurchaseParams is a confirm screen that is about to be drawn. PromoCode may be empty; Key comes from the update.
type OpenPurchaseParams struct {
	TelegramID atlas.TelegramID
	Plan       atlas.Plan
	PromoCode  string
	Key        string
}

// OpenedPurchase is a fixed price and the id that the button carries.
type OpenedPurchase struct {
	PurchaseID            atlas.PurchaseID   `db:"purchase_id"`
	Price                 atlas.Kopecks      `db:"price_kopecks"`
	DiscountKind          atlas.DiscountKind `db:"discount_kind"`
	DiscountPercent       int                `db:"discount_percent"`
	ExpiresAt             time.Time          `db:"expires_at"`
	IsReplay              bool               `db:"is_replay"`
	SubscriptionExpiresAt *time.Time         `db:"subscription_expires_at"`
}

var billingOpenPurchase = define(`select purchase_id, price_kopecks, discount_kind, discount_percent, expires_at,
  is_replay, subscription_expires_at
from billing.open_purchase(p_telegram_id => @p_telegram_id, p_tariff => @p_tariff, p_months => @p_months,
  p_promo_code => @p_promo_code, p_idempotency_key => @p_idempotency_key)`, false)

// OpenPurchase fixes the price of a subscription, reserves the promo use and mints the purchase id.
func (b Billing) OpenPurchase(ctx context.Context, p OpenPurchaseParams) (OpenedPurchase, error) {
	opened, err := one[OpenedPurchase](ctx, b.db, billingOpenPurchase, pgx.StrictNamedArgs{
		"p_telegram_id":     int64(p.TelegramID),
		"p_tariff":          string(p.Plan.Tariff),
		"p_months":          p.Plan.Months,
		"p_promo_code":      textOrNull(p.PromoCode),
		"p_idempotency_key": p.Key,
	}, about(p.TelegramID))
	if err == nil && !opened.IsReplay {
		b.db.money(ctx, obs.PurchaseOpened, p.TelegramID, purchaseAttr(opened.PurchaseID),
			slog.Int64("price_kopecks", int64(opened.Price)))
	}
	return opened, err
}

// OpenedTopup is a top-up that waits for its payment.
type OpenedTopup struct {
	PurchaseID atlas.PurchaseID `db:"purchase_id"`
	Price      atlas.Kopecks    `db:"price_kopecks"`
	ExpiresAt  time.Time        `db:"expires_at"`
	IsReplay   bool             `db:"is_replay"`
}

var billingOpenTopup = define(`select purchase_id, price_kopecks, expires_at, is_replay
from billing.open_topup(p_telegram_id => @p_telegram_id, p_amount_kopecks => @p_amount_kopecks,
  p_idempotency_key => @p_idempotency_key)`, false)

// OpenTopup opens a purchase of balance.
func (b Billing) OpenTopup(
	ctx context.Context, user atlas.TelegramID, amount atlas.Kopecks, key string,
) (OpenedTopup, error) {
	opened, err := one[OpenedTopup](ctx, b.db, billingOpenTopup, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_amount_kopecks": int64(amount), "p_idempotency_key": key,
	}, about(user))
	if err == nil && !opened.IsReplay {
		b.db.money(ctx, obs.PurchaseOpened, user, purchaseAttr(opened.PurchaseID),
			slog.Int64("price_kopecks", int64(opened.Price)))
	}
	return opened, err
}

// PaidPurchase is the answer to a payment from the balance. SubscriptionExpiresAt is nil for a top-up.
type PaidPurchase struct {
	PurchaseID            atlas.PurchaseID     `db:"purchase_id"`
	Status                atlas.PurchaseStatus `db:"status"`
	Available             atlas.Kopecks        `db:"available_kopecks"`
	SubscriptionExpiresAt *time.Time           `db:"subscription_expires_at"`
	IsReplay              bool                 `db:"is_replay"`
}

var billingPayFromBalance = define(`select purchase_id, status, available_kopecks, subscription_expires_at, is_replay
from billing.pay_from_balance(p_telegram_id => @p_telegram_id, p_purchase_id => @p_purchase_id)`, false)

// PayFromBalance pays an open purchase of the user at its recorded price.
func (b Billing) PayFromBalance(
	ctx context.Context, user atlas.TelegramID, purchase atlas.PurchaseID,
) (PaidPurchase, error) {
	paid, err := one[PaidPurchase](ctx, b.db, billingPayFromBalance, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_purchase_id": string(purchase),
	}, aboutPurchase(user, purchase))
	if err == nil && !paid.IsReplay {
		b.db.money(ctx, obs.PurchasePaid, user, purchaseAttr(purchase),
			slog.Int64("available_kopecks", int64(paid.Available)))
	}
	return paid, err
}

// CancelledPurchase is the answer to a cancellation.
type CancelledPurchase struct {
	PurchaseID atlas.PurchaseID     `db:"purchase_id"`
	Status     atlas.PurchaseStatus `db:"status"`
	IsReplay   bool                 `db:"is_replay"`
}

var billingCancelPurchase = define(`select purchase_id, status, is_replay
from billing.cancel_purchase(p_telegram_id => @p_telegram_id, p_purchase_id => @p_purchase_id)`, false)

// CancelPurchase closes an open purchase of the user and returns its promo use.
func (b Billing) CancelPurchase(
	ctx context.Context, user atlas.TelegramID, purchase atlas.PurchaseID,
) (CancelledPurchase, error) {
	cancelled, err := one[CancelledPurchase](ctx, b.db, billingCancelPurchase, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_purchase_id": string(purchase),
	}, aboutPurchase(user, purchase))
	if err == nil && !cancelled.IsReplay {
		b.db.money(ctx, obs.PurchaseCancelled, user, purchaseAttr(purchase))
	}
	return cancelled, err
}

// Purchase is a purchase as its screen shows it. Provider and InvoiceID are empty while no invoice is attached; Tariff is
// empty and Months 0 for a top-up.
type Purchase struct {
	PurchaseID            atlas.PurchaseID     `db:"purchase_id"`
	Kind                  atlas.PurchaseKind   `db:"kind"`
	Status                atlas.PurchaseStatus `db:"status"`
	Tariff                atlas.Tariff         `db:"tariff"`
	Months                int                  `db:"months"`
	List                  atlas.Kopecks        `db:"list_kopecks"`
	DiscountKind          atlas.DiscountKind   `db:"discount_kind"`
	DiscountPercent       int                  `db:"discount_percent"`
	Price                 atlas.Kopecks        `db:"price_kopecks"`
	ExpiresAt             time.Time            `db:"expires_at"`
	SubscriptionExpiresAt *time.Time           `db:"subscription_expires_at"`
	Provider              atlas.Provider       `db:"provider"`
	InvoiceID             string               `db:"invoice_id"`
	OfferID               atlas.OfferID        `db:"offer_id"`  // empty for a top-up, or when it is not sold any more
	KeepsKey              bool                 `db:"keeps_key"` // it was paid while a subscription was in force
	SwitchKind            atlas.SwitchKind     `db:"switch_kind"`
	// SecondsLeft is the time until ExpiresAt by the database's clock, which need not be this machine's; 0 when it is over.
	SecondsLeft int `db:"seconds_left"`
}

var billingShowPurchase = define(`select purchase_id, kind, status, coalesce(tariff, '') as tariff,
  coalesce(months, 0) as months, coalesce(list_kopecks, price_kopecks) as list_kopecks,
  coalesce(discount_kind, 'none') as discount_kind, coalesce(discount_percent, 0) as discount_percent, price_kopecks,
  expires_at, subscription_expires_at, coalesce(provider, '') as provider, coalesce(invoice_id, '') as invoice_id,
  coalesce(offer_id::text, '') as offer_id, keeps_key, seconds_left, coalesce(switch_kind, '') as switch_kind
from billing.show_purchase(p_telegram_id => @p_telegram_id, p_purchase_id => @p_purchase_id)`, false).reading()

// ShowPurchase reads a purchase of the user.
func (b Billing) ShowPurchase(
	ctx context.Context, user atlas.TelegramID, purchase atlas.PurchaseID,
) (Purchase, error) {
	return one[Purchase](ctx, b.db, billingShowPurchase, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_purchase_id": string(purchase),
	}, aboutPurchase(user, purchase))
}

// ExpireDue closes open purchases whose time is over. A nil epoch means by hand.
func (b Billing) ExpireDue(ctx context.Context, epoch *int64, limit int) (int, error) {
	answer, err := one[expiredCount](ctx, b.db, billingExpireDue, pgx.StrictNamedArgs{
		"p_epoch": epoch, "p_limit": limit,
	}, bySystem())
	if err == nil && answer.Expired > 0 {
		obs.Money(ctx, b.db.log, obs.PurchasesExpired, slog.Int("count", answer.Expired))
	}
	return answer.Expired, err
}

type expiredCount struct {
	Expired int `db:"expired"`
}

var billingExpireDue = define(`select expired
from billing.expire_due(p_epoch => @p_epoch, p_limit => @p_limit)`, false)

func purchaseAttr(id atlas.PurchaseID) slog.Attr { return slog.String("purchase_id", string(id)) }
