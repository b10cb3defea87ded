-- Who waits for whom in the database now.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function ops.list_lock_waits(p_admin_id bigint, p_limit int)
returns table (
  waited interval, waits_for text, pid int, application_name text, query text, blocking_pid int,
  blocking_application_name text, blocking_state text, blocking_transaction_lasts interval,
  blocking_query text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select l.waited, l.waits_for, l.pid, l.application_name, l.query, l.blocking_pid,
         l.blocking_application_name, l.blocking_state, l.blocking_transaction_lasts,
         l.blocking_query
  from ops.lock_waits() l
  order by l.waited desc, l.pid, l.blocking_pid
  limit p_limit;
end
$$;

comment on function ops.list_lock_waits is
  'For admins only: view ops.lock_wait, longest wait first. Queries are without the texts in them. '
  'Reads only.';

grant execute on function ops.list_lock_waits to atlas_admin, atlas_dba;
