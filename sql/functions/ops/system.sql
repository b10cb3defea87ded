-- What runs here: versions, size, sessions.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function ops.system(p_admin_id bigint)
returns table (
  schema_version bigint, postgres_version text, postgres_started_at timestamptz,
  database_bytes bigint, sessions int, max_sessions int, checked_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select v.version, current_setting('server_version'), pg_postmaster_start_time(),
         pg_database_size(current_database()), s.numbackends,
         current_setting('max_connections')::int, core.now()
  from ops.schema_version() v
  join pg_stat_database s on s.datname = current_database();
end
$$;

comment on function ops.system is
  'For admins only: the newest migration, the server, and how much of it is used. Reads only.';

grant execute on function ops.system to atlas_admin, atlas_dba;
