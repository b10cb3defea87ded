package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// Promo holds the functions of schema promo: discount codes.
type Promo struct{ db *DB }

// PromoCode is a code that a user could use now. ExpiresAt is nil for never, UsesLeft for unlimited.
type PromoCode struct {
	Code            string     `db:"code"`
	DiscountPercent int        `db:"discount_percent"`
	ExpiresAt       *time.Time `db:"expires_at"`
	UsesLeft        *int64     `db:"uses_left"`
}

var promoValidate = define(`select code, discount_percent, expires_at, uses_left
from promo.validate(p_telegram_id => @p_telegram_id, p_code => @p_code)`, false)

// Validate looks whether a user could use a code, as typed; nothing is reserved. Otherwise one of atlas.ErrNoSuchPromo,
// ErrPromoExpired, ErrPromoUsedUp, ErrPromoDisabled, ErrPromoUserLimit, ErrPromoMalformed.
func (p Promo) Validate(ctx context.Context, user atlas.TelegramID, code string) (PromoCode, error) {
	return one[PromoCode](ctx, p.db, promoValidate, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_code": code,
	}, about(user))
}
