-- Removes what is older than the retention: updates, messages, runs, drafts, requests, exports.
-- Locks: lease, the removed rows (skip locked).
-- Raises: OP001, OP002, OP003, 22023.
create or replace function ops.purge_due(p_epoch bigint, p_limit int)
returns table (purged int)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_before timestamptz;
  v_purged int;
begin
  perform ops._enter_due('ops.purge_due', p_epoch, p_limit);
  v_before := core.now() - make_interval(days => ops._setting_value('retention_days')::int);

  with handled as (
    delete from inbox.update u
    where u.update_id in (
      select o.update_id from inbox.update o
      where o.finished_at < v_before
      limit p_limit for update skip locked)
    returning 1
  ), ended as (
    delete from outbox.task t
    where (t.telegram_id, t.task_id) in (
      select o.telegram_id, o.task_id from outbox.task o
      where o.kind = 'message' and o.finished_at < v_before
      limit p_limit for update skip locked)
    returning 1
  ), broadcasted as (
    delete from broadcast.recipient r
    where (r.telegram_id, r.broadcast_id) in (
      select o.telegram_id, o.broadcast_id from broadcast.recipient o
      where o.finished_at < v_before
      limit p_limit for update skip locked)
    returning 1
  ), ran as (
    delete from ops.scheduled_job_run r
    where r.run_id in (
      select o.run_id from ops.scheduled_job_run o
      where o.finished_at < v_before
      limit p_limit for update skip locked)
    returning 1
  ), drafted as (
    delete from account.draft d
    where (d.admin_id, d.draft_id) in (
      select o.admin_id, o.draft_id from account.draft o
      where o.expires_at < v_before
      limit p_limit for update skip locked)
    returning 1
  ), attempted as (
    delete from ops.attempt a
    where (a.telegram_id, a.action) in (
      select o.telegram_id, o.action from ops.attempt o
      where o.whole_at < v_before
      limit p_limit for update skip locked)
    returning 1
  ), closed as (
    delete from account.corporate_request c
    where (c.telegram_id, c.request_id) in (
      select o.telegram_id, o.request_id from account.corporate_request o
      where o.closed_at < v_before
      limit p_limit for update skip locked)
    returning 1
  ), exported as (
    delete from ops.export e
    where e.export_id in (
      select o.export_id from ops.export o
      where o.finished_at < v_before
      limit p_limit for update skip locked)
    returning 1
  )
  select ((select count(*) from handled) + (select count(*) from ended)
          + (select count(*) from broadcasted) + (select count(*) from ran)
          + (select count(*) from drafted) + (select count(*) from attempted)
          + (select count(*) from closed) + (select count(*) from exported))::int
  into v_purged;

  return query select v_purged;
end
$$;

comment on function ops.purge_due is
  'At most p_limit rows of each kind; setting retention_days. Ledger, payments, provisioning jobs'
  ' and audit stay.';

grant execute on function ops.purge_due to atlas_worker, atlas_dba;
