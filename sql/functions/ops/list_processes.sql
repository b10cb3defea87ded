-- The processes that lead something now.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function ops.list_processes(p_admin_id bigint)
returns table (holder text, leads text[], since timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select l.holder, array_agg(l.name order by l.name), min(l.since)
  from ops.lease l
  where l.holder is not null and l.expires_at > core.now()
  group by l.holder
  order by min(l.since), l.holder;
end
$$;

comment on function ops.list_processes is
  'For admins only: who holds a lease, and which. since: the oldest of them, so that the process '
  'is up at least so long. One that leads nothing is not seen here. Reads only.';

grant execute on function ops.list_processes to atlas_admin, atlas_dba;
