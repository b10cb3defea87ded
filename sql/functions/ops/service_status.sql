-- Whether the service works, for everybody to read.
-- Locks: none.
-- Raises: nothing.
create or replace function ops.service_status()
returns table (component text, state text, since timestamptz)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select s.component, s.state, s.since
  from ops.component_status s
  order by s.component <> 'service', not s.is_critical, s.component
$$;

comment on function ops.service_status is
  'View ops.component_status without what only admins should see: the service as a whole first, '
  'then what it depends on. Reads only.';

grant execute on function ops.service_status to atlas_bot, atlas_admin, atlas_dba;
