-- Leases provisioning jobs, oldest first, one per user at a time.
-- Locks: users and outbox.task (rows, skip locked), subscription.
-- Raises: 22023, OP001, OP003.
create or replace function vpn.claim_jobs(p_holder text, p_limit int, p_lease interval)
returns table (
  job_id bigint, telegram_id bigint, action text, vpn_uuid uuid, tariff text,
  expires_at timestamptz, attempt int, lease_token uuid, device_limit int,
  correlation_id text, node text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_tasks bigint[];
  v_users bigint[];
  v_now timestamptz;
begin
  perform core._guard('provisioning');
  perform outbox._require_claim(p_holder, p_limit, p_lease);
  perform vpn._close_poison(core.now());

  select array_agg(c.task_id), array_agg(c.telegram_id) into v_tasks, v_users
  from outbox._claim('provision', p_holder, p_limit, p_lease) c;

  v_now := core.now();

  return query
  select t.task_id, t.telegram_id::bigint,
         case when vpn._is_stale(t.vpn_uuid, s.vpn_uuid, s.expires_at, v_now) then 'remove'
              else t.name end,
         t.vpn_uuid, s.tariff, s.expires_at,
         t.attempt::int, t.lease_token, f.device_limit::int, t.correlation_id, p.node
  from unnest(v_users, v_tasks) c (telegram_id, task_id)
  join outbox.task t on t.telegram_id = c.telegram_id and t.task_id = c.task_id
  left join subscription.subscription s on s.telegram_id = t.telegram_id
  left join billing.tariff f on f.tariff = s.tariff
  left join vpn.placement p on p.vpn_uuid = t.vpn_uuid
  order by t.task_id;
end
$$;

comment on function vpn.claim_jobs is
  'Leases up to p_limit jobs for p_lease. action: add (idempotent: the identity may be there) or '
  'remove (also for an add whose identity is nobody''s any more). node: where its key leads; null: '
  'nowhere yet. Then vpn.complete_job, fail_job or release_job with lease_token; a lease that runs '
  'out is claimed again.';

grant execute on function vpn.claim_jobs to atlas_worker, atlas_dba;
