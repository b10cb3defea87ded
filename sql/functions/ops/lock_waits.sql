-- Lists who waits for whom: one row per waiting session and session in its way.
-- Locks: none.
-- Raises: nothing.
create or replace function ops.lock_waits()
returns table (
  pid int, user_name text, application_name text, waited interval, lock_mode text, waits_for text,
  query text, blocking_pid int, blocking_user_name text, blocking_application_name text,
  blocking_state text, blocking_state_lasts interval, blocking_transaction_lasts interval,
  blocking_query text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := core.now();
begin
  return query
  select w.pid, w.usename::text, w.application_name, v_now - l.waitstart, l.mode,
         ops._describe_lock(l.pid, l.locktype, l.relation, l.page, l.tuple, l.classid, l.objid,
                            l.objsubid),
         ops._without_values(w.query),
         b.pid, b.usename::text, b.application_name, b.state,
         v_now - b.state_change, v_now - b.xact_start, ops._without_values(b.query)
  from pg_locks l
  join pg_stat_activity w on w.pid = l.pid
  cross join lateral (select distinct unnest(pg_blocking_pids(l.pid)) as pid) i
  left join pg_stat_activity b on b.pid = i.pid
  where not l.granted and w.datname = current_database()
  order by l.waitstart, l.pid, i.pid;
end
$$;

comment on function ops.lock_waits is
  'What view ops.lock_wait shows. A definer function: its owner may read other sessions'' queries '
  '(pg_read_all_stats), its callers see them only here, without their values. A prepared '
  'transaction that blocks has no session, and null here.';

grant execute on function ops.lock_waits to atlas_worker, atlas_auditor, atlas_dba;
