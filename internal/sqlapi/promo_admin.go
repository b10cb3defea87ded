package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// ListedPromo is a promo code in a list. MaxUses is 0 for no limit, ExpiresAt nil for never.
type ListedPromo struct {
	PromoID   int64      `db:"promo_id"`
	Code      string     `db:"code"`
	Percent   int        `db:"discount_percent"`
	MaxUses   int        `db:"max_uses"`
	ExpiresAt *time.Time `db:"expires_at"`
	IsActive  bool       `db:"is_active"`
}

var promoList = define(`select promo_id, code, discount_percent, coalesce(max_uses, 0) as max_uses, expires_at, is_active
from promo.list(p_admin_id => @p_admin_id, p_is_usable => @p_is_usable, p_before => @p_before, p_limit => @p_limit)`,
	false).reading()

// List lists a page of the codes that can be used, or of the others, newest first, from before a number; 0 for the first.
func (p Promo) List(
	ctx context.Context, admin atlas.TelegramID, isUsable bool, before int64, limit int,
) ([]ListedPromo, error) {
	return many[ListedPromo](ctx, p.db, promoList, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_is_usable": isUsable, "p_before": numberOrNull(before), "p_limit": limit,
	}, about(admin))
}

type foundPromo struct {
	PromoID int64  `db:"promo_id"`
	Code    string `db:"code"`
}

var promoFind = define(`select promo_id, code
from promo.find(p_admin_id => @p_admin_id, p_code => @p_code)`, false).reading()

// Find gives a code's number. atlas.ErrNoSuchPromo or ErrPromoMalformed otherwise.
func (p Promo) Find(ctx context.Context, admin atlas.TelegramID, code string) (int64, error) {
	answer, err := one[foundPromo](ctx, p.db, promoFind, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_code": code,
	}, about(admin))
	return answer.PromoID, err
}

// PromoCard is everything about a promo code. Reserved to Discount are of the first Counted uses; DisabledBy and BatchID
// are 0 where there is none.
type PromoCard struct {
	ListedPromo
	PerUserLimit       int              `db:"per_user_limit"`
	IsExpired          bool             `db:"is_expired"`
	IssuedAt           time.Time        `db:"issued_at"`
	IssuedBy           atlas.TelegramID `db:"issued_by"`
	IssuedByUsername   string           `db:"issued_by_username"`
	DisabledAt         *time.Time       `db:"disabled_at"`
	DisabledBy         atlas.TelegramID `db:"disabled_by"`
	DisabledByUsername string           `db:"disabled_by_username"`
	BatchID            int64            `db:"batch_id"`
	Uses               int64            `db:"uses"`
	UsesLeft           *int64           `db:"uses_left"`
	Counted            int64            `db:"counted"`
	Reserved           int64            `db:"reserved"`
	Consumed           int64            `db:"consumed"`
	Refunded           int64            `db:"refunded"`
	Revenue            atlas.Kopecks    `db:"revenue_kopecks"`
	Discount           atlas.Kopecks    `db:"discount_kopecks"`
}

var promoCard = define(`select promo_id, code, discount_percent, coalesce(max_uses, 0) as max_uses, per_user_limit, expires_at,
  is_active, is_expired, issued_at, issued_by, coalesce(issued_by_username, '') as issued_by_username, disabled_at,
  coalesce(disabled_by, 0) as disabled_by, coalesce(disabled_by_username, '') as disabled_by_username,
  coalesce(batch_id, 0) as batch_id, uses, uses_left, counted, reserved, consumed, refunded, revenue_kopecks,
  discount_kopecks
from promo.card(p_admin_id => @p_admin_id, p_promo_id => @p_promo_id)`, false).reading()

// Card reads a code, with what it brought.
func (p Promo) Card(ctx context.Context, admin atlas.TelegramID, id int64) (PromoCard, error) {
	return one[PromoCard](ctx, p.db, promoCard, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_promo_id": id,
	}, about(admin))
}

// PromoTerms is what a code is to be good for. MaxUses 0 is no limit, PerUser 0 once, a nil end never.
type PromoTerms struct {
	Percent   int
	MaxUses   int
	PerUser   int
	ExpiresAt *time.Time
}

type issuedPromo struct {
	PromoID  int64  `db:"promo_id"`
	Code     string `db:"code"`
	IsReplay bool   `db:"is_replay"`
}

var promoIssue = define(`select promo_id, code, is_replay
from promo.issue(p_admin_id => @p_admin_id, p_code => @p_code, p_discount_percent => @p_discount_percent,
  p_max_uses => @p_max_uses, p_per_user_limit => @p_per_user_limit, p_expires_at => @p_expires_at,
  p_idempotency_key => @p_idempotency_key)`, false)

// Issue makes a code, a generated one for "", and gives its number. True: that had been done already, with this key.
func (p Promo) Issue(
	ctx context.Context, admin atlas.TelegramID, code string, terms PromoTerms, key string,
) (id int64, isReplay bool, err error) {
	answer, err := one[issuedPromo](ctx, p.db, promoIssue, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_code": textOrNull(code), "p_discount_percent": terms.Percent,
		"p_max_uses": numberOrNull(int64(terms.MaxUses)), "p_per_user_limit": numberOrNull(int64(terms.PerUser)),
		"p_expires_at": terms.ExpiresAt, "p_idempotency_key": key,
	}, actor{id: admin, subject: code})
	return answer.PromoID, answer.IsReplay, err
}

type disabledPromo struct {
	Code     string `db:"code"`
	IsActive bool   `db:"is_active"`
	IsReplay bool   `db:"is_replay"`
}

var promoDisable = define(`select code, is_active, is_replay
from promo.disable(p_admin_id => @p_admin_id, p_code => @p_code)`, false)

// Disable switches a code off, for good. True: it was off already.
func (p Promo) Disable(ctx context.Context, admin atlas.TelegramID, code string) (isReplay bool, err error) {
	answer, err := one[disabledPromo](ctx, p.db, promoDisable, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_code": code,
	}, actor{id: admin, subject: code})
	return answer.IsReplay, err
}

type limitedPromo struct {
	Code     string `db:"code"`
	MaxUses  *int   `db:"max_uses"`
	IsReplay bool   `db:"is_replay"`
}

var promoSetLimit = define(`select code, max_uses, is_replay
from promo.set_limit(p_admin_id => @p_admin_id, p_code => @p_code, p_max_uses => @p_max_uses)`, false)

// SetLimit changes how often a code can be used in all; 0 is no limit. atlas.ErrPromoUsedUp: more uses are taken already.
func (p Promo) SetLimit(ctx context.Context, admin atlas.TelegramID, code string, maxUses int) (isReplay bool, err error) {
	answer, err := one[limitedPromo](ctx, p.db, promoSetLimit, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_code": code, "p_max_uses": numberOrNull(int64(maxUses)),
	}, actor{id: admin, subject: code})
	return answer.IsReplay, err
}

// BatchCode is a code of a batch.
type BatchCode struct {
	BatchID  int64  `db:"batch_id"`
	PromoID  int64  `db:"promo_id"`
	Code     string `db:"code"`
	IsActive bool   `db:"is_active"`
	IsUsed   bool   `db:"is_used"`
}

var promoIssueBatch = define(`select batch_id, promo_id, code, is_replay
from promo.issue_batch(p_admin_id => @p_admin_id, p_count => @p_count, p_discount_percent => @p_discount_percent,
  p_max_uses => @p_max_uses, p_per_user_limit => @p_per_user_limit, p_expires_at => @p_expires_at,
  p_idempotency_key => @p_idempotency_key)`, false)

type issuedCode struct {
	BatchID int64 `db:"batch_id"`
	issuedPromo
}

// IssueBatch makes generated codes and gives the batch's number. True: that had been done already, with this key.
func (p Promo) IssueBatch(
	ctx context.Context, admin atlas.TelegramID, count int, terms PromoTerms, key string,
) (id int64, isReplay bool, err error) {
	rows, err := many[issuedCode](ctx, p.db, promoIssueBatch, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_count": count, "p_discount_percent": terms.Percent,
		"p_max_uses": numberOrNull(int64(terms.MaxUses)), "p_per_user_limit": numberOrNull(int64(terms.PerUser)),
		"p_expires_at": terms.ExpiresAt, "p_idempotency_key": key,
	}, about(admin))
	if err != nil || len(rows) == 0 {
		return 0, false, err
	}
	return rows[0].BatchID, rows[0].IsReplay, nil
}

// PromoBatch is codes that were made together.
type PromoBatch struct {
	BatchID          int64            `db:"batch_id"`
	Codes            int              `db:"code_count"`
	Percent          int              `db:"discount_percent"`
	MaxUses          int              `db:"max_uses"`
	PerUserLimit     int              `db:"per_user_limit"`
	ExpiresAt        *time.Time       `db:"expires_at"`
	IssuedAt         time.Time        `db:"issued_at"`
	IssuedBy         atlas.TelegramID `db:"issued_by"`
	IssuedByUsername string           `db:"issued_by_username"`
}

var promoListBatches = define(`select batch_id, code_count, discount_percent, coalesce(max_uses, 0) as max_uses,
  per_user_limit, expires_at, issued_at, issued_by, coalesce(issued_by_username, '') as issued_by_username
from promo.list_batches(p_admin_id => @p_admin_id, p_before => @p_before, p_limit => @p_limit)`, false).reading()

// ListBatches lists a page of the batches, newest first, from before a number; 0 for the first page.
func (p Promo) ListBatches(ctx context.Context, admin atlas.TelegramID, before int64, limit int) ([]PromoBatch, error) {
	return many[PromoBatch](ctx, p.db, promoListBatches, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_before": numberOrNull(before), "p_limit": limit,
	}, about(admin))
}

var promoListBatch = define(`select batch_id, promo_id, code, is_active, is_used
from promo.list_batch(p_admin_id => @p_admin_id, p_batch_id => @p_batch_id)`, false).reading()

// ListBatch lists the codes of a batch: a hundred at most. atlas.ErrNoSuchPromo: there is no such batch.
func (p Promo) ListBatch(ctx context.Context, admin atlas.TelegramID, id int64) ([]BatchCode, error) {
	return many[BatchCode](ctx, p.db, promoListBatch, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_batch_id": id,
	}, about(admin))
}
