package sqlapi

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

type reissuedPeople struct {
	Reissued int `db:"reissued"`
}

var vpnReissueDue = define(`select reissued
from vpn.reissue_due(p_epoch => @p_epoch, p_limit => @p_limit)`, false)

// ReissueDue gives the next people of the open request a new key, at most limit. A nil epoch means by hand.
func (v VPN) ReissueDue(ctx context.Context, epoch *int64, limit int) (int, error) {
	answer, err := one[reissuedPeople](ctx, v.db, vpnReissueDue, pgx.StrictNamedArgs{
		"p_epoch": epoch, "p_limit": limit,
	}, bySystem())
	return answer.Reissued, err
}

// RequestedReissue is a request that everybody be given a new key. People is about how many.
type RequestedReissue struct {
	RequestID int64 `db:"request_id"`
	People    int64 `db:"people"`
	IsReplay  bool  `db:"is_replay"`
}

var vpnReissueAll = define(`select request_id, people, is_replay
from vpn.reissue_all(p_admin_id => @p_admin_id, p_idempotency_key => @p_idempotency_key)`, false)

// ReissueAll has everybody given a new key. atlas.ErrReissueUnderWay: another request is open.
func (v VPN) ReissueAll(ctx context.Context, admin atlas.TelegramID, key string) (RequestedReissue, error) {
	return one[RequestedReissue](ctx, v.db, vpnReissueAll, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_idempotency_key": key,
	}, about(admin))
}

// EndedReissue is how a request has ended: cancelled, or done before somebody wanted to stop it. EndedBy is 0 when it was done.
type EndedReissue struct {
	RequestID int64            `db:"request_id"`
	Status    string           `db:"status"`
	IsReplay  bool             `db:"is_replay"`
	EndedBy   atlas.TelegramID `db:"ended_by"`
	EndedAt   time.Time        `db:"ended_at"`
}

var vpnCancelReissue = define(`select request_id, status, is_replay, coalesce(ended_by, 0) as ended_by, ended_at
from vpn.cancel_reissue(p_admin_id => @p_admin_id, p_request_id => @p_request_id)`, false)

// CancelReissue stops giving everybody a new key; what was done stays. atlas.ErrNoSuchReissue.
func (v VPN) CancelReissue(ctx context.Context, admin atlas.TelegramID, request int64) (EndedReissue, error) {
	return one[EndedReissue](ctx, v.db, vpnCancelReissue, pgx.StrictNamedArgs{
		"p_admin_id": int64(admin), "p_request_id": request,
	}, about(admin))
}

// MassReissue is the open request that everybody be given a new key, or the last one. Status is running, done or cancelled.
// Waiting counts keys that are promised and not at a node yet, Removing old ones that the nodes have still. SecondsLeft, at the
// pace so far, and EndedAt are nil as long as nobody knows. EndedBy is 0 unless it was cancelled.
type MassReissue struct {
	RequestID   int64            `db:"request_id"`
	Status      string           `db:"status"`
	AdminID     atlas.TelegramID `db:"admin_id"`
	Username    string           `db:"username"`
	RequestedAt time.Time        `db:"requested_at"`
	Expected    int64            `db:"expected"`
	Done        int64            `db:"done"`
	Skipped     int64            `db:"skipped"`
	Failed      int64            `db:"failed"`
	Waiting     int64            `db:"waiting"`
	Removing    int64            `db:"removing"`
	SecondsLeft *int64           `db:"seconds_left"`
	EndedAt     *time.Time       `db:"ended_at"`
	EndedBy     atlas.TelegramID `db:"ended_by"`
	EndedByName string           `db:"ended_by_name"`
}

// IsOpen says whether it goes on.
func (r MassReissue) IsOpen() bool { return r.Status == "running" }

var vpnShowReissue = define(`select request_id, status, admin_id, coalesce(username, '') as username, requested_at, expected,
  done, skipped, failed, waiting, removing, seconds_left, ended_at, coalesce(ended_by, 0) as ended_by,
  coalesce(ended_by_name, '') as ended_by_name
from vpn.show_reissue(p_admin_id => @p_admin_id)`, false).reading()

// ShowReissue reads the open request, or the last one; false: there never was one.
func (v VPN) ShowReissue(ctx context.Context, admin atlas.TelegramID) (last MassReissue, isThere bool, err error) {
	found, err := many[MassReissue](ctx, v.db, vpnShowReissue, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
	if err != nil || len(found) == 0 {
		return MassReissue{}, false, err
	}
	return found[0], true, nil
}

// KeysOverview is how it is about keys. People have a subscription in force; ReissueSeconds is how long a new key for all of
// them takes at least.
type KeysOverview struct {
	People         int64 `db:"people"`
	IsEstimate     bool  `db:"is_estimate"`
	Waiting        int64 `db:"waiting"`
	Failed         int64 `db:"failed"`
	ReissueSeconds int64 `db:"reissue_seconds"`
}

var vpnOverview = define(`select people, is_estimate, waiting, failed, reissue_seconds
from vpn.overview(p_admin_id => @p_admin_id)`, false).reading()

// Overview reads how it is about keys.
func (v VPN) Overview(ctx context.Context, admin atlas.TelegramID) (KeysOverview, error) {
	return one[KeysOverview](ctx, v.db, vpnOverview, pgx.StrictNamedArgs{"p_admin_id": int64(admin)}, about(admin))
}
