-- The VPN nodes, and how many keys lead to each.
-- Locks: none.
-- Raises: nothing.
create or replace function vpn.list_nodes()
returns table (
  name text, is_draining boolean, is_up boolean, users int, keys bigint, reported_at timestamptz,
  last_error text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select n.name, n.is_draining, n.is_up, n.users,
         (select count(*) from vpn.placement p where p.node = n.name), n.reported_at, n.last_error
  from vpn.node n
  order by n.name
$$;

comment on function vpn.list_nodes is
  'As vpn.sync_nodes saw them last; a node appears when a worker has asked it first. Reads only.';

grant execute on function vpn.list_nodes to atlas_worker, atlas_admin, atlas_auditor, atlas_dba;
