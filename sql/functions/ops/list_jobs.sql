-- The schedule, and how each job's last run went.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function ops.list_jobs(p_admin_id bigint)
returns table (
  name text, schedule text, is_enabled boolean, is_exclusive boolean, next_run_at timestamptz,
  last_started_at timestamptz, last_finished_at timestamptz, last_items int, last_error text,
  consecutive_failures int, leader text, description text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select j.name, j.schedule, j.is_enabled, j.is_exclusive, j.next_run_at, j.last_started_at,
         j.last_finished_at, j.last_items, j.last_error, j.consecutive_failures, l.holder,
         j.description
  from ops.scheduled_job j
  left join ops.lease l on l.name = j.name and l.expires_at > core.now()
  order by j.name;
end
$$;

comment on function ops.list_jobs is
  'For admins only: view ops.job, and which worker leads an exclusive job now. Reads only.';

grant execute on function ops.list_jobs to atlas_admin, atlas_dba;
