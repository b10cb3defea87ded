package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
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
from subscription.current(p_telegram_id => @p_telegram_id)`, false)

// Current reads a user's subscription.
func (s Subscription) Current(ctx context.Context, user atlas.TelegramID) (CurrentSubscription, error) {
	return one[CurrentSubscription](ctx, s.db, subscriptionCurrent, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user),
	}, about(user))
}
