package sqlapi

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
)

// Subscription holds the functions of schema subscription.
type Subscription struct{ db *DB }

// CurrentSubscription is what a user has now. Without one, Tariff, VPNUUID and KeyURI are empty and ExpiresAt is nil; while
// the activation is pending, KeyURI is empty.
type CurrentSubscription struct {
	Status     atlas.SubscriptionStatus `db:"status"`
	Tariff     atlas.Tariff             `db:"tariff"`
	ExpiresAt  *time.Time               `db:"expires_at"`
	AutoRenew  bool                     `db:"auto_renew"`
	Activation atlas.Activation         `db:"activation"`
	VPNUUID    string                   `db:"vpn_uuid"`
	KeyURI     atlas.KeyURI             `db:"key_uri"`
}

var subscriptionCurrent = define(`select status, coalesce(tariff, '') as tariff, expires_at,
  coalesce(auto_renew, false) as auto_renew, activation, coalesce(vpn_uuid::text, '') as vpn_uuid,
  coalesce(key_uri, '') as key_uri
from subscription.current(p_telegram_id => @p_telegram_id)`, false).reading()

// Current reads a user's subscription.
func (s Subscription) Current(ctx context.Context, user atlas.TelegramID) (CurrentSubscription, error) {
	return one[CurrentSubscription](ctx, s.db, subscriptionCurrent, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user),
	}, about(user))
}

// TrialOffer is what a trial would give. Refusal is the SQLSTATE that StartTrial would meet now, empty where it can begin.
type TrialOffer struct {
	Refusal     string       `db:"refusal"`
	Days        int          `db:"days"`
	Tariff      atlas.Tariff `db:"tariff"`
	DeviceLimit int          `db:"device_limit"`
}

var subscriptionTrialOffer = define(`select coalesce(refusal, '') as refusal, days, tariff, device_limit
from subscription.trial_offer(p_telegram_id => @p_telegram_id)`, false).reading()

// TrialOffer says whether a user can have a trial.
func (s Subscription) TrialOffer(ctx context.Context, user atlas.TelegramID) (TrialOffer, error) {
	return one[TrialOffer](ctx, s.db, subscriptionTrialOffer, pgx.StrictNamedArgs{"p_telegram_id": int64(user)}, about(user))
}

// Renewal is what renewing would buy. Tariff is empty where nothing was bought yet, IsSold false where it is no longer sold;
// ExpiresAt and RenewsAt (from when auto-renewal tries) are nil where nothing is in force.
type Renewal struct {
	AutoRenew       bool          `db:"auto_renew"`
	ExpiresAt       *time.Time    `db:"expires_at"`
	RenewsAt        *time.Time    `db:"renews_at"`
	Tariff          atlas.Tariff  `db:"tariff"`
	Months          int           `db:"months"`
	List            atlas.Kopecks `db:"list_kopecks"`
	DiscountPercent int           `db:"discount_percent"`
	Price           atlas.Kopecks `db:"price_kopecks"`
	IsSold          bool          `db:"is_sold"`
	Available       atlas.Kopecks `db:"available_kopecks"`
}

var subscriptionRenewal = define(`select auto_renew, expires_at, renews_at, coalesce(tariff, '') as tariff,
  coalesce(months, 0) as months, coalesce(list_kopecks, 0) as list_kopecks, discount_percent,
  coalesce(price_kopecks, 0) as price_kopecks, is_sold, available_kopecks
from subscription.renewal(p_telegram_id => @p_telegram_id)`, false).reading()

// Renewal reads what renewing a user's subscription would buy, at the price of now.
func (s Subscription) Renewal(ctx context.Context, user atlas.TelegramID) (Renewal, error) {
	return one[Renewal](ctx, s.db, subscriptionRenewal, pgx.StrictNamedArgs{"p_telegram_id": int64(user)}, about(user))
}

// StartedTrial is a trial and its end.
type StartedTrial struct {
	ExpiresAt time.Time `db:"expires_at"`
	IsReplay  bool      `db:"is_replay"`
}

var subscriptionStartTrial = define(`select expires_at, is_replay
from subscription.start_trial(p_telegram_id => @p_telegram_id, p_idempotency_key => @p_idempotency_key)`, false)

// StartTrial gives the one trial of a user. atlas.ErrTrialUsed, ErrPaidSubscription.
func (s Subscription) StartTrial(ctx context.Context, user atlas.TelegramID, key string) (StartedTrial, error) {
	return one[StartedTrial](ctx, s.db, subscriptionStartTrial, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_idempotency_key": key,
	}, about(user))
}

type autoRenewal struct {
	AutoRenew bool `db:"auto_renew"`
}

var subscriptionSetAutoRenew = define(`select auto_renew
from subscription.set_auto_renew(p_telegram_id => @p_telegram_id, p_is_on => @p_is_on)`, false)

// SetAutoRenew switches the renewal from the balance on or off; atlas.ErrNoSubscription where there is nothing to renew.
func (s Subscription) SetAutoRenew(ctx context.Context, user atlas.TelegramID, isOn bool) (bool, error) {
	answer, err := one[autoRenewal](ctx, s.db, subscriptionSetAutoRenew, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_is_on": isOn,
	}, about(user))
	return answer.AutoRenew, err
}

type renewedCount struct {
	Renewed  int `db:"renewed"`
	Declined int `db:"declined"`
}

var subscriptionRenewDue = define(`select renewed, declined
from subscription.renew_due(p_epoch => @p_epoch, p_limit => @p_limit)`, false)

// RenewDue renews subscriptions from the balance and tells how many it decided on. A nil epoch means by hand.
func (s Subscription) RenewDue(ctx context.Context, epoch *int64, limit int) (int, error) {
	answer, err := one[renewedCount](ctx, s.db, subscriptionRenewDue, pgx.StrictNamedArgs{
		"p_epoch": epoch, "p_limit": limit,
	}, bySystem())
	if err == nil && answer.Renewed+answer.Declined > 0 {
		obs.Money(ctx, s.db.log, obs.SubscriptionsRenewed, slog.Int("count", answer.Renewed),
			slog.Int("declined", answer.Declined))
	}
	return answer.Renewed + answer.Declined, err
}

var subscriptionExpireDue = define(`select expired
from subscription.expire_due(p_epoch => @p_epoch, p_limit => @p_limit)`, false)

// ExpireDue ends subscriptions whose time is over. A nil epoch means by hand.
func (s Subscription) ExpireDue(ctx context.Context, epoch *int64, limit int) (int, error) {
	answer, err := one[expiredCount](ctx, s.db, subscriptionExpireDue, pgx.StrictNamedArgs{
		"p_epoch": epoch, "p_limit": limit,
	}, bySystem())
	return answer.Expired, err
}

// GrantParams is access that an admin gives: whole minutes of a tariff. Key makes a repeat a replay.
type GrantParams struct {
	AdminID    atlas.TelegramID
	TelegramID atlas.TelegramID
	Tariff     atlas.Tariff
	Duration   time.Duration
	Reason     string
	IsTold     bool // whether the user gets a message
	Key        string
}

// ChangedSubscription is when a subscription ends after a change.
type ChangedSubscription struct {
	ExpiresAt time.Time `db:"expires_at"`
	IsReplay  bool      `db:"is_replay"`
}

var subscriptionGrantTime = define(`select expires_at, is_replay
from subscription.grant_time(p_admin_id => @p_admin_id, p_telegram_id => @p_telegram_id, p_tariff => @p_tariff,
  p_duration => @p_duration, p_reason => @p_reason, p_idempotency_key => @p_idempotency_key, p_is_told => @p_is_told)`, false)

// GrantTime gives a user access for some time.
func (s Subscription) GrantTime(ctx context.Context, p GrantParams) (ChangedSubscription, error) {
	return one[ChangedSubscription](ctx, s.db, subscriptionGrantTime, pgx.StrictNamedArgs{
		"p_admin_id": int64(p.AdminID), "p_telegram_id": int64(p.TelegramID), "p_tariff": string(p.Tariff),
		"p_duration": p.Duration, "p_reason": textOrNull(p.Reason), "p_idempotency_key": p.Key, "p_is_told": p.IsTold,
	}, byAdmin(p.AdminID, p.TelegramID))
}

// RevokeParams ends a subscription. Key makes a repeat a replay.
type RevokeParams struct {
	AdminID    atlas.TelegramID
	TelegramID atlas.TelegramID
	Reason     string
	IsTold     bool // whether the user gets a message, with the reason
	Key        string
}

var subscriptionRevoke = define(`select expires_at, is_replay
from subscription.revoke(p_admin_id => @p_admin_id, p_telegram_id => @p_telegram_id, p_reason => @p_reason,
  p_idempotency_key => @p_idempotency_key, p_is_told => @p_is_told)`, false)

// Revoke ends a user's subscription now; atlas.ErrNoSubscription where none is in force.
func (s Subscription) Revoke(ctx context.Context, p RevokeParams) (ChangedSubscription, error) {
	return one[ChangedSubscription](ctx, s.db, subscriptionRevoke, pgx.StrictNamedArgs{
		"p_admin_id": int64(p.AdminID), "p_telegram_id": int64(p.TelegramID), "p_reason": textOrNull(p.Reason),
		"p_idempotency_key": p.Key, "p_is_told": p.IsTold,
	}, byAdmin(p.AdminID, p.TelegramID))
}
