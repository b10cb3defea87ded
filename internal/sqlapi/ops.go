package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// Ops holds the functions of schema ops that processes use among themselves: leases, features, reconciliation.
type Ops struct{ db *DB }

type leaseEpoch struct {
	Epoch *int64 `db:"epoch"`
}

var opsAcquireLease = define(`select epoch
from ops.acquire_lease(p_name => @p_name, p_holder => @p_holder, p_ttl => @p_ttl)`, false)

// AcquireLease takes or renews a lease. Nil means that somebody else holds it; a renewal keeps the epoch.
func (o Ops) AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (*int64, error) {
	answer, err := one[leaseEpoch](ctx, o.db, opsAcquireLease, pgx.StrictNamedArgs{
		"p_name": name, "p_holder": holder, "p_ttl": ttl,
	}, bySystem())
	return answer.Epoch, err
}

var opsReleaseLease = define(`select is_released
from ops.release_lease(p_name => @p_name, p_holder => @p_holder)`, false)

type releasedLease struct {
	IsReleased bool `db:"is_released"`
}

// ReleaseLease gives a lease up, so that the next one need not wait for its end. False: this holder did not have it.
func (o Ops) ReleaseLease(ctx context.Context, name, holder string) (bool, error) {
	answer, err := one[releasedLease](ctx, o.db, opsReleaseLease, pgx.StrictNamedArgs{
		"p_name": name, "p_holder": holder,
	}, bySystem())
	return answer.IsReleased, err
}

// Discrepancy is something in the books that is not right.
type Discrepancy struct {
	CheckName string `db:"check_name"`
	Subject   string `db:"subject"`
	Detail    string `db:"detail"`
}

var opsReconcile = define(`select check_name, coalesce(subject, '') as subject, coalesce(detail, '') as detail
from ops.reconcile()`, false)

// Reconcile checks the books. No rows: they are right.
func (o Ops) Reconcile(ctx context.Context) ([]Discrepancy, error) {
	return many[Discrepancy](ctx, o.db, opsReconcile, pgx.StrictNamedArgs{}, bySystem())
}

var opsSetFeature = define(`select name, is_on
from ops.set_feature(p_admin_id => @p_admin_id, p_name => @p_name,
  p_is_on => @p_is_on)`, false)

// SetFeature switches a feature on or off for everybody.
func (o Ops) SetFeature(ctx context.Context, admin atlas.TelegramID, name string, isOn bool) error {
	_, err := one[featureState](ctx, o.db, opsSetFeature, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_name": name, "p_is_on": isOn,
	}, actor{id: admin, subject: name})
	return err
}

type featureState struct {
	Name string `db:"name"`
	IsOn bool   `db:"is_on"`
}

type purgedCount struct {
	Purged int `db:"purged"`
}

var opsPurgeDue = define(`select purged
from ops.purge_due(p_epoch => @p_epoch, p_limit => @p_limit)`, false)

// PurgeDue removes rows that are kept for a while only. A nil epoch means by hand.
func (o Ops) PurgeDue(ctx context.Context, epoch *int64, limit int) (int, error) {
	answer, err := one[purgedCount](ctx, o.db, opsPurgeDue, pgx.StrictNamedArgs{
		"p_epoch": epoch, "p_limit": limit,
	}, bySystem())
	return answer.Purged, err
}

// RateLimit is how often a person may do something: Attempts in PerSeconds, all of which may come at once.
type RateLimit struct {
	Action     string `db:"action"`
	Attempts   int    `db:"attempts"`
	PerSeconds int    `db:"per_seconds"`
}

var opsRateLimits = define(`select action, attempts, per_seconds
from ops.rate_limits()`, false)

// RateLimits lists all limits.
func (o Ops) RateLimits(ctx context.Context) ([]RateLimit, error) {
	return many[RateLimit](ctx, o.db, opsRateLimits, pgx.StrictNamedArgs{}, bySystem())
}

type attemptWait struct {
	WaitMilliseconds int64 `db:"wait_milliseconds"`
}

var opsTakeAttempt = define(`select wait_milliseconds
from ops.take_attempt(p_telegram_id => @p_telegram_id, p_action => @p_action)`, false)

// TakeAttempt counts one attempt of a person (0), or says how long to wait with it. An attempt whose answer was lost may
// count twice.
func (o Ops) TakeAttempt(ctx context.Context, user atlas.TelegramID, action string) (time.Duration, error) {
	answer, err := one[attemptWait](ctx, o.db, opsTakeAttempt, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_action": action,
	}, about(user))
	return time.Duration(answer.WaitMilliseconds) * time.Millisecond, err
}

// Dashboard is how much waits for the admins, and how the service is. ServiceState is up, degraded, down or unknown.
type Dashboard struct {
	PendingWithdrawals int      `db:"pending_withdrawals"`
	SuspendedPayments  int      `db:"suspended_payments"`
	WaitingKeys        int      `db:"waiting_keys"` // promised and not delivered yet
	DeadLetters        int      `db:"dead_letters"`
	RunningBroadcasts  int      `db:"running_broadcasts"`
	ServiceState       string   `db:"service_state"`
	FeaturesOff        []string `db:"features_off"`
}

var opsDashboard = define(`select pending_withdrawals, suspended_payments, waiting_keys, dead_letters, running_broadcasts,
  service_state, features_off
from ops.dashboard(p_admin_id => @p_admin_id)`, false).reading()

// Dashboard reads what waits for the admins.
func (o Ops) Dashboard(ctx context.Context, admin atlas.TelegramID) (Dashboard, error) {
	return one[Dashboard](ctx, o.db, opsDashboard, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
}
