package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

type computedDays struct {
	Computed int `db:"computed"`
}

var opsFiguresDue = define(`select computed
from ops.figures_due(p_epoch => @p_epoch, p_limit => @p_limit)`, false)

// FiguresDue reckons the figures of today and yesterday, and of at most limit days that are missing, which it counts. A nil
// epoch means by hand.
func (o Ops) FiguresDue(ctx context.Context, epoch *int64, limit int) (int, error) {
	answer, err := one[computedDays](ctx, o.db, opsFiguresDue, pgx.StrictNamedArgs{
		"p_epoch": epoch, "p_limit": limit,
	}, bySystem())
	return answer.Computed, err
}

// Statistics is how many users and subscriptions there were at ComputedAt, which is nil before the first count. Active and
// Tariffs are without trials.
type Statistics struct {
	ComputedAt  *time.Time             `db:"computed_at"`
	Users       int64                  `db:"users"`
	NewToday    int64                  `db:"new_today"`
	New7Days    int64                  `db:"new_7_days"`
	New30Days   int64                  `db:"new_30_days"`
	Active      int64                  `db:"active"`
	Trials      int64                  `db:"trials"`
	Expired     int64                  `db:"expired"`
	Blocked     int64                  `db:"blocked"`
	Unreachable int64                  `db:"unreachable"`
	Tariffs     map[atlas.Tariff]int64 `db:"tariffs"`
}

var opsStatistics = define(`select computed_at, coalesce(users, 0) as users, coalesce(new_today, 0) as new_today,
  coalesce(new_7_days, 0) as new_7_days, coalesce(new_30_days, 0) as new_30_days, coalesce(active, 0) as active,
  coalesce(trials, 0) as trials, coalesce(expired, 0) as expired, coalesce(blocked, 0) as blocked,
  coalesce(unreachable, 0) as unreachable, tariffs
from ops.statistics(p_admin_id => @p_admin_id)`, false).reading()

// Statistics reads how many users and subscriptions there are.
func (o Ops) Statistics(ctx context.Context, admin atlas.TelegramID) (Statistics, error) {
	return one[Statistics](ctx, o.db, opsStatistics, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
}

// Analytics is money: of this month so far, of the month before to the same day, and ever. Net is what purchases took in,
// less what went back. What cannot be said, because nobody has paid, is nil.
type Analytics struct {
	ComputedAt    *time.Time               `db:"computed_at"`
	Month         *time.Time               `db:"month"`
	Revenue       atlas.Kopecks            `db:"revenue_kopecks"`
	Refunded      atlas.Kopecks            `db:"refunded_kopecks"`
	Net           atlas.Kopecks            `db:"net_kopecks"`
	Payers        int64                    `db:"payers"`
	ARPPU         *atlas.Kopecks           `db:"arppu_kopecks"` // by somebody who paid
	ARPU          *atlas.Kopecks           `db:"arpu_kopecks"`  // by user
	Ways          map[string]atlas.Kopecks `db:"ways"`
	BeforeRevenue atlas.Kopecks            `db:"before_revenue_kopecks"`
	BeforeNet     atlas.Kopecks            `db:"before_net_kopecks"`
	BeforePayers  int64                    `db:"before_payers"`
	BeforeARPPU   *atlas.Kopecks           `db:"before_arppu_kopecks"`
	Change        *int                     `db:"change_percent"` // of Net
	PayersEver    int64                    `db:"payers_ever"`
	NetEver       atlas.Kopecks            `db:"net_ever_kopecks"`
	LTV           *atlas.Kopecks           `db:"ltv_kopecks"`
}

var billingAnalytics = define(`select computed_at, month, revenue_kopecks, refunded_kopecks, net_kopecks, payers, arppu_kopecks,
  arpu_kopecks, ways, before_revenue_kopecks, before_net_kopecks, before_payers, before_arppu_kopecks, change_percent,
  payers_ever, net_ever_kopecks, ltv_kopecks
from billing.analytics(p_admin_id => @p_admin_id)`, false).reading()

// Analytics reads what came in.
func (b Billing) Analytics(ctx context.Context, admin atlas.TelegramID) (Analytics, error) {
	return one[Analytics](ctx, b.db, billingAnalytics, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
}

// Metrics is how the service does. Times are in milliseconds; what cannot be said yet is nil.
type Metrics struct {
	ComputedAt         *time.Time `db:"computed_at"`
	KeysToday          int64      `db:"keys_today"`
	MedianToday        int64      `db:"median_today_ms"`
	P95Today           int64      `db:"p95_today_ms"`
	KeysYesterday      int64      `db:"keys_yesterday"`
	MedianYesterday    int64      `db:"median_yesterday_ms"`
	P95Yesterday       int64      `db:"p95_yesterday_ms"`
	Sales              int64      `db:"sales"`
	Buyers             int64      `db:"buyers"`
	RenewalsPerHundred *int64     `db:"renewals_per_hundred"`
	Approved           int64      `db:"approved"`
	Rejected           int64      `db:"rejected"`
	ApprovedPercent    *int       `db:"approved_percent"`
}

var opsMetrics = define(`select computed_at, keys_today, median_today_ms, p95_today_ms, keys_yesterday, median_yesterday_ms,
  p95_yesterday_ms, sales, buyers, renewals_per_hundred, approved, rejected, approved_percent
from ops.metrics(p_admin_id => @p_admin_id)`, false).reading()

// Metrics reads how the service does.
func (o Ops) Metrics(ctx context.Context, admin atlas.TelegramID) (Metrics, error) {
	return one[Metrics](ctx, o.db, opsMetrics, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
}
