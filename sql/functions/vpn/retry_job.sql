-- Has a promised key tried again now, one that was given up, too.
-- Locks: account.admin row (share), user, outbox.task row, subscription.
-- Raises: US001, US003, VP002, 22023, OP001, OP003.
create or replace function vpn.retry_job(
  p_admin_id bigint, p_telegram_id bigint, p_job_id bigint)
returns table (job_id bigint, status text, is_retried boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_status text;
  v_vpn_uuid uuid;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_job_id is not null, 'p_job_id: the id from list_undelivered');
  perform account._require_admin(p_admin_id);
  perform account._lock(p_telegram_id);
  perform 1
  from outbox.task t
  where t.telegram_id = p_telegram_id and t.task_id = p_job_id
  for no key update;

  select j.status into v_status from vpn.show_job(p_admin_id, p_telegram_id, p_job_id) j;
  retry_job.is_retried := v_status in ('waiting', 'failed');
  if retry_job.is_retried then
    update outbox.task t
    set due_at = core.now(), finished_at = null, outcome = null, leased_until = null,
        holder = null, lease_token = case when v_status = 'waiting' then t.lease_token end,
        attempt = case when v_status = 'waiting' then t.attempt else 0 end
    where t.telegram_id = p_telegram_id and t.task_id = p_job_id
    returning t.vpn_uuid into v_vpn_uuid;
    update subscription.subscription s
    set activation = 'pending'
    where s.telegram_id = p_telegram_id and s.vpn_uuid = v_vpn_uuid and s.activation = 'failed';
    perform audit._record('vpn.retry_job', p_admin_id, p_telegram_id::text,
                          jsonb_build_object('job_id', p_job_id, 'was', v_status));
    v_status := 'waiting';
  end if;

  return query select p_job_id, v_status, retry_job.is_retried;
end
$$;

comment on function vpn.retry_job is
  'Its attempts begin anew if it was given up. status: as vpn.show_job has it now; one that is '
  'being worked on, delivered or stale is left as it is. Safe to call again: it is due once more.';

grant execute on function vpn.retry_job to atlas_admin, atlas_dba;
