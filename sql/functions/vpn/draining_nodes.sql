-- The nodes that get no new keys.
-- Locks: none.
-- Raises: nothing.
create or replace function vpn.draining_nodes()
returns table (name text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select n.name from vpn.node n where n.is_draining order by n.name
$$;

comment on function vpn.draining_nodes is
  'Workers ask before each batch of keys, so that vpn.set_node counts from the next one on. Reads '
  'only.';

grant execute on function vpn.draining_nodes to atlas_worker, atlas_dba;
