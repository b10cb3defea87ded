package sqlapi

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
)

// Referral holds the functions of schema referral: who invited whom, and the cashback for it.
type Referral struct{ db *DB }

// ReferralStats is what a referrer has. Level is silver, gold or platinum; Percent is the cashback that it gives. NextLevel
// is empty at the highest; it takes NextFromPaying paying ones and gives NextPercent.
type ReferralStats struct {
	Code    string        `db:"code"`
	Invited int64         `db:"invited"`
	Paying  int64         `db:"paying"`
	Level   string        `db:"level"`
	Percent int           `db:"percent"`
	Earned  atlas.Kopecks `db:"earned_kopecks"`

	NextLevel      string `db:"next_level"`
	NextFromPaying int    `db:"next_from_paying"`
	NextPercent    int    `db:"next_percent"`
}

var referralStats = define(`select code, invited, paying, level, percent, earned_kopecks,
  coalesce(next_level, '') as next_level, coalesce(next_from_paying, 0) as next_from_paying,
  coalesce(next_percent, 0) as next_percent
from referral.stats(p_telegram_id => @p_telegram_id)`, false).reading()

// Stats reads what a user has as a referrer.
func (r Referral) Stats(ctx context.Context, user atlas.TelegramID) (ReferralStats, error) {
	return one[ReferralStats](ctx, r.db, referralStats, pgx.StrictNamedArgs{"p_telegram_id": int64(user)}, about(user))
}

type paidCashback struct {
	Paid        int           `db:"paid"`
	PaidKopecks atlas.Kopecks `db:"paid_kopecks"`
}

var referralPayDue = define(`select paid, paid_kopecks
from referral.pay_due(p_epoch => @p_epoch, p_limit => @p_limit)`, false)

// PayDue pays cashback, and claws it back, and tells how many rewards were paid. A nil epoch means by hand.
func (r Referral) PayDue(ctx context.Context, epoch *int64, limit int) (int, error) {
	answer, err := one[paidCashback](ctx, r.db, referralPayDue, pgx.StrictNamedArgs{
		"p_epoch": epoch, "p_limit": limit,
	}, bySystem())
	if err == nil && answer.Paid > 0 {
		obs.Money(ctx, r.db.log, obs.CashbackPaid, slog.Int("count", answer.Paid),
			slog.Int64("amount_kopecks", int64(answer.PaidKopecks)))
	}
	return answer.Paid, err
}
