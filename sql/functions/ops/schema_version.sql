-- Gives the number of the newest migration.
-- Locks: none.
-- Raises: nothing.
create or replace function ops.schema_version()
returns table (version bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select coalesce(max(g.version_id), 0) from public.goose_db_version g where g.is_applied;
end
$$;

comment on function ops.schema_version is
  'A process is ready when this is at least the migration that it was built with.';

grant execute on function ops.schema_version to atlas_bot, atlas_worker, atlas_auditor, atlas_dba;
