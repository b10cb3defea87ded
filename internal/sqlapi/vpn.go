package sqlapi

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"atlas-secure/internal/atlas"
)

// VPN holds the functions of schema vpn: the outbox of what nodes should do.
type VPN struct{ db *DB }

// ProvisioningJob is one thing to do at a node, held under a lease. Tariff is empty and ExpiresAt nil where they do not
// matter (remove). Node is where the identity's key leads, empty if nowhere yet.
type ProvisioningJob struct {
	JobID         int64            `db:"job_id"`
	TelegramID    atlas.TelegramID `db:"telegram_id"`
	Action        atlas.VPNAction  `db:"action"`
	VPNUUID       string           `db:"vpn_uuid"`
	Tariff        atlas.Tariff     `db:"tariff"`
	ExpiresAt     *time.Time       `db:"expires_at"`
	Attempt       int              `db:"attempt"`
	LeaseToken    string           `db:"lease_token"`
	DeviceLimit   int              `db:"device_limit"`
	CorrelationID string           `db:"correlation_id"`
	Node          string           `db:"node"`
}

var vpnClaimJobs = define(`select job_id, telegram_id, action, vpn_uuid, coalesce(tariff, '') as tariff, expires_at,
  attempt, lease_token, coalesce(device_limit, 0) as device_limit, coalesce(correlation_id, '') as correlation_id,
  coalesce(node, '') as node
from vpn.claim_jobs(p_holder => @p_holder, p_limit => @p_limit, p_lease => @p_lease)`, true)

// ClaimJobs takes jobs under a lease: the oldest, one per user at a time.
func (v VPN) ClaimJobs(
	ctx context.Context, holder string, limit int, lease time.Duration,
) ([]ProvisioningJob, error) {
	return many[ProvisioningJob](ctx, v.db, vpnClaimJobs, pgx.StrictNamedArgs{
		"p_holder": holder, "p_limit": limit, "p_lease": lease,
	}, bySystem())
}

// CompletedJob is the answer to a completion.
type CompletedJob struct {
	JobID    int64 `db:"job_id"`
	IsReplay bool  `db:"is_replay"`
}

var vpnCompleteJob = define(`select job_id, is_replay
from vpn.complete_job(p_job_id => @p_job_id, p_lease_token => @p_lease_token, p_key_uri => @p_key_uri,
  p_node => @p_node)`, false)

// CompleteJob records that the node of that name did it; key and node are empty for a removal. atlas.ErrLeaseLost: somebody
// else has the job now.
func (v VPN) CompleteJob(ctx context.Context, job ProvisioningJob, key atlas.KeyURI, node string) (CompletedJob, error) {
	return one[CompletedJob](ctx, v.db, vpnCompleteJob, pgx.StrictNamedArgs{
		"p_job_id": job.JobID, "p_lease_token": job.LeaseToken, "p_key_uri": textOrNull(key.Reveal()),
		"p_node": textOrNull(node),
	}, bySystem())
}

// FailedJob is the answer to a failure.
type FailedJob struct {
	JobID         int64      `db:"job_id"`
	WillRetry     bool       `db:"will_retry"`
	NextAttemptAt *time.Time `db:"next_attempt_at"`
}

var vpnFailJob = define(`select job_id, will_retry, next_attempt_at
from vpn.fail_job(p_job_id => @p_job_id, p_lease_token => @p_lease_token, p_error => @p_error)`, false)

// FailJob records that the node refused this job, which costs an attempt.
func (v VPN) FailJob(ctx context.Context, job ProvisioningJob, reason string) (FailedJob, error) {
	return one[FailedJob](ctx, v.db, vpnFailJob, pgx.StrictNamedArgs{
		"p_job_id": job.JobID, "p_lease_token": job.LeaseToken, "p_error": clip(reason),
	}, bySystem())
}

type releasedJob struct {
	NextAttemptAt *time.Time `db:"next_attempt_at"`
}

var vpnReleaseJob = define(`select next_attempt_at
from vpn.release_job(p_job_id => @p_job_id, p_lease_token => @p_lease_token, p_error => @p_error)`, false)

// ReleaseJob gives a job back because the node as a whole is down, which costs no attempt.
func (v VPN) ReleaseJob(ctx context.Context, job ProvisioningJob, reason string) error {
	_, err := one[releasedJob](ctx, v.db, vpnReleaseJob, pgx.StrictNamedArgs{
		"p_job_id": job.JobID, "p_lease_token": job.LeaseToken, "p_error": clip(reason),
	}, bySystem())
	return err
}

// WantedUser is an identity that is paid for. Node is where its key leads, empty if nowhere yet or nobody knows; IsPending
// says that its job is not done, so that a node may have it already or not.
type WantedUser struct {
	UUID        string           `db:"vpn_uuid"`
	DeviceLimit int              `db:"device_limit"`
	ExpiresAt   time.Time        `db:"expires_at"`
	TelegramID  atlas.TelegramID `db:"telegram_id"`
	Node        string           `db:"node"`
	IsPending   bool             `db:"is_pending"`
}

// VPNUser is what a node needs to know of it.
func (u WantedUser) VPNUser() atlas.VPNUser {
	return atlas.VPNUser{UUID: u.UUID, DeviceLimit: u.DeviceLimit, TelegramID: u.TelegramID, ExpiresAt: u.ExpiresAt}
}

// Format hides the identity from every verb of fmt.
func (u WantedUser) Format(state fmt.State, verb rune) { u.VPNUser().Format(state, verb) }

var vpnWantedUsers = define(`select vpn_uuid, device_limit, expires_at, telegram_id, coalesce(node, '') as node, is_pending
from vpn.wanted_users()`, false)

// WantedUsers reads what the nodes should let in now.
func (v VPN) WantedUsers(ctx context.Context) ([]WantedUser, error) {
	return many[WantedUser](ctx, v.db, vpnWantedUsers, pgx.StrictNamedArgs{}, bySystem())
}

// Reissue is a new identity, whose key is on its way.
type Reissue struct {
	VPNUUID  string `db:"vpn_uuid"`
	IsReplay bool   `db:"is_replay"`
}

var vpnReissue = define(`select vpn_uuid, is_replay
from vpn.reissue(p_telegram_id => @p_telegram_id, p_admin_id => @p_admin_id,
  p_idempotency_key => @p_idempotency_key)`, false)

// Reissue gives a user a new key in place of the old one. admin is 0 when the user asks; atlas.ErrNoSubscription.
func (v VPN) Reissue(ctx context.Context, user, admin atlas.TelegramID, key string) (Reissue, error) {
	return one[Reissue](ctx, v.db, vpnReissue, pgx.StrictNamedArgs{
		"p_telegram_id": int64(user), "p_admin_id": numberOrNull(int64(admin)), "p_idempotency_key": key,
	}, byAdmin(orDefault(admin, user), user))
}
