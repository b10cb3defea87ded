package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// ListedPurchase is a purchase as admins see it. Moments are nil for what has not happened; TakenBackBy is 0 for a provider.
type ListedPurchase struct {
	PurchaseID      atlas.PurchaseID     `db:"purchase_id"`
	Kind            atlas.PurchaseKind   `db:"kind"`
	Status          atlas.PurchaseStatus `db:"status"`
	Tariff          atlas.Tariff         `db:"tariff"`
	Months          int                  `db:"months"`
	Price           atlas.Kopecks        `db:"price_kopecks"`
	OpenedAt        time.Time            `db:"opened_at"`
	PaidAt          *time.Time           `db:"paid_at"`
	PaidWith        string               `db:"paid_with"`
	CanBeRefunded   bool                 `db:"can_be_refunded"`
	TakenBackAt     *time.Time           `db:"taken_back_at"`
	TakenBackBy     atlas.TelegramID     `db:"taken_back_by"`
	TakenBackReason string               `db:"taken_back_reason"`
}

var billingListPurchases = define(`select purchase_id, kind, status, coalesce(tariff, '') as tariff,
  coalesce(months, 0) as months, price_kopecks, opened_at, paid_at, coalesce(paid_with, '') as paid_with, can_be_refunded,
  taken_back_at, coalesce(taken_back_by, 0) as taken_back_by, coalesce(taken_back_reason, '') as taken_back_reason
from billing.list_purchases(p_admin_id => @p_admin_id, p_telegram_id => @p_telegram_id, p_before_id => @p_before_id,
  p_limit => @p_limit)`, false).reading()

// ListPurchases reads what a user has bought or is buying, newest first, before a purchase if that is not empty.
func (b Billing) ListPurchases(
	ctx context.Context, admin, user atlas.TelegramID, before atlas.PurchaseID, limit int,
) ([]ListedPurchase, error) {
	return many[ListedPurchase](ctx, b.db, billingListPurchases, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_telegram_id": int64(user), "p_before_id": textOrNull(string(before)), "p_limit": limit,
	}, byAdmin(admin, user))
}
