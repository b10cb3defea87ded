-- How everything is that the shop depends on or consists of.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function ops.list_components(p_admin_id bigint)
returns table (kind text, name text, state text, since timestamptz, detail text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select case s.component when 'service' then 'service' else 'dependency' end, s.component,
         s.state, s.since, s.detail
  from ops.component_status s
  union all
  select 'part', c.name, c.status, c.since, c.detail
  from ops.component c;
end
$$;

comment on function ops.list_components is
  'For admins only: views ops.component_status (kinds service and dependency) and ops.component '
  '(kind part) as one list. The queues are counted, so that a backlog makes it slower; nothing '
  'else does. Reads only.';

grant execute on function ops.list_components to atlas_admin, atlas_dba;
