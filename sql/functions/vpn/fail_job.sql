-- Counts a failed attempt at a provisioning job; the last one gives up.
-- Locks: user, outbox.task row, subscription.
-- Raises: VP001, 22023, OP001.
create or replace function vpn.fail_job(p_job_id bigint, p_lease_token uuid, p_error text)
returns table (job_id bigint, will_retry boolean, next_attempt_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_job record;
  v_task record;
begin
  perform core._guard();
  perform core._require(p_job_id is not null, 'p_job_id: the id from claim_jobs');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim_jobs');
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');

  select l.telegram_id, l.is_leased, l.is_finished, l.given_back_until into v_job
  from outbox._lock_leased('provision', p_job_id, p_lease_token) l;
  if not v_job.is_leased then
    perform core._refuse('VP001', format('job_id %s', p_job_id));
  end if;

  select t.attempt, t.vpn_uuid, t.purchase_id,
         t.name = 'remove'
           or vpn._is_stale(t.vpn_uuid, s.vpn_uuid, s.expires_at, core.now()) as is_remove
  into v_task
  from outbox.task t
  left join subscription.subscription s on s.telegram_id = t.telegram_id
  where t.telegram_id = v_job.telegram_id and t.task_id = p_job_id;
  if v_job.is_finished then
    return query select p_job_id, false, null::timestamptz;
  elsif v_job.given_back_until is not null then
    return query select p_job_id, true, v_job.given_back_until;
  elsif v_task.is_remove or v_task.attempt < ops._setting_value('provisioning_attempts') then
    return query select p_job_id, true, outbox._retry(
      v_job.telegram_id, p_job_id, p_error, vpn._backoff(v_task.attempt), 0);
  else
    perform outbox._finish(v_job.telegram_id, p_job_id, 'failed', p_error);
    perform vpn._give_up(v_job.telegram_id, v_task.vpn_uuid, v_task.purchase_id, p_error);
    return query select p_job_id, false, null::timestamptz;
  end if;
end
$$;

comment on function vpn.fail_job is
  'The node refused this job. It is tried again with backoff, 5 times in all (setting '
  'provisioning_attempts); then the activation has failed and the admins are told. A remove never'
  ' gives up.';

grant execute on function vpn.fail_job to atlas_worker, atlas_dba;
