package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// ReferralOverview is how many people were invited, and what cashback is promised and not paid yet.
type ReferralOverview struct {
	Invited     int64         `db:"invited"`
	OwedRewards int64         `db:"owed_rewards"`
	Owed        atlas.Kopecks `db:"owed_kopecks"`
}

var referralOverview = define(`select invited, owed_rewards, owed_kopecks
from referral.overview(p_admin_id => @p_admin_id)`, false).reading()

// Overview reads the totals that no level has.
func (r Referral) Overview(ctx context.Context, admin atlas.TelegramID) (ReferralOverview, error) {
	return one[ReferralOverview](ctx, r.db, referralOverview, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
}

// ReferralLevel is what the referrers of a level have; Level is empty for all of them together.
type ReferralLevel struct {
	Level     string        `db:"level"`
	Percent   int           `db:"percent"`
	Referrers int64         `db:"referrers"`
	Paying    int64         `db:"paying"`
	Earned    atlas.Kopecks `db:"earned_kopecks"`
}

var referralLevels = define(`select coalesce(level, '') as level, coalesce(percent, 0) as percent, referrers, paying, earned_kopecks
from referral.levels(p_admin_id => @p_admin_id)`, false).reading()

// Levels lists the levels, the lowest first, and then all together.
func (r Referral) Levels(ctx context.Context, admin atlas.TelegramID) ([]ReferralLevel, error) {
	return many[ReferralLevel](ctx, r.db, referralLevels, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
}

// TopReferrer is a referrer in the list of those with the most paying referrals.
type TopReferrer struct {
	TelegramID atlas.TelegramID `db:"telegram_id"`
	Username   string           `db:"username"`
	Paying     int64            `db:"paying"`
	Level      string           `db:"level"`
	Percent    int              `db:"percent"`
	Earned     atlas.Kopecks    `db:"earned_kopecks"`
}

var referralTop = define(`select telegram_id, coalesce(username, '') as username, paying, level, percent, earned_kopecks
from referral.top(p_admin_id => @p_admin_id, p_after => @p_after, p_limit => @p_limit)`, false).reading()

// Top lists a page of the best referrers, after somebody; 0 for the first page.
func (r Referral) Top(ctx context.Context, admin, after atlas.TelegramID, limit int) ([]TopReferrer, error) {
	return many[TopReferrer](ctx, r.db, referralTop, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_after": numberOrNull(int64(after)), "p_limit": limit,
	}, about(admin))
}

// FoundReferrer is who was looked for.
type FoundReferrer struct {
	TelegramID atlas.TelegramID `db:"telegram_id"`
	Username   string           `db:"username"`
}

var referralSearch = define(`select telegram_id, coalesce(username, '') as username
from referral.search(p_admin_id => @p_admin_id, p_query => @p_query, p_limit => @p_limit)`, false).reading()

// Search finds people by their code or link, their number, or the beginning of their name.
func (r Referral) Search(ctx context.Context, admin atlas.TelegramID, query string, limit int) ([]FoundReferrer, error) {
	return many[FoundReferrer](ctx, r.db, referralSearch, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_query": query, "p_limit": limit,
	}, about(admin))
}

// ReferralDetail is everything about a person as a referrer. ReferrerID is 0 for who came without an invitation.
type ReferralDetail struct {
	TelegramID       atlas.TelegramID `db:"telegram_id"`
	Username         string           `db:"username"`
	Code             string           `db:"code"`
	RegisteredAt     time.Time        `db:"registered_at"`
	ReferrerID       atlas.TelegramID `db:"referrer_id"`
	ReferrerUsername string           `db:"referrer_username"`
	Invited          int64            `db:"invited"`
	Paying           int64            `db:"paying"`
	Level            string           `db:"level"`
	Percent          int              `db:"percent"`
	Earned           atlas.Kopecks    `db:"earned_kopecks"`
	ClawedBack       atlas.Kopecks    `db:"clawed_back_kopecks"`
	OwedRewards      int64            `db:"owed_rewards"`
}

var referralDetail = define(`select telegram_id, coalesce(username, '') as username, code, registered_at,
  coalesce(referrer_id, 0) as referrer_id, coalesce(referrer_username, '') as referrer_username, invited, paying, level,
  percent, earned_kopecks, clawed_back_kopecks, owed_rewards
from referral.detail(p_admin_id => @p_admin_id, p_telegram_id => @p_telegram_id)`, false).reading()

// Detail reads a person as a referrer.
func (r Referral) Detail(ctx context.Context, admin, user atlas.TelegramID) (ReferralDetail, error) {
	return one[ReferralDetail](ctx, r.db, referralDetail, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_telegram_id": int64(user),
	}, byAdmin(admin, user))
}

// InvitedPerson is somebody who came by a link. PaysSince is nil for who has not paid.
type InvitedPerson struct {
	TelegramID   atlas.TelegramID `db:"telegram_id"`
	Username     string           `db:"username"`
	RegisteredAt time.Time        `db:"registered_at"`
	PaysSince    *time.Time       `db:"pays_since"`
}

var referralInvited = define(`select telegram_id, coalesce(username, '') as username, registered_at, pays_since
from referral.invited(p_admin_id => @p_admin_id, p_telegram_id => @p_telegram_id, p_before => @p_before,
  p_limit => @p_limit)`, false).reading()

// Invited lists a page of those whom a user invited, from before somebody; 0 for the first page.
func (r Referral) Invited(ctx context.Context, admin, user, before atlas.TelegramID, limit int) ([]InvitedPerson, error) {
	return many[InvitedPerson](ctx, r.db, referralInvited, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_telegram_id": int64(user), "p_before": numberOrNull(int64(before)), "p_limit": limit,
	}, byAdmin(admin, user))
}
