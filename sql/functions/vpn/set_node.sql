-- Takes a VPN node out of the choice for new keys, or puts it back.
-- Locks: account.admin row (share), vpn.node row.
-- Raises: US003, 22023, OP001, OP003.
create or replace function vpn.set_node(p_admin_id bigint, p_name text, p_is_draining boolean)
returns table (name text, is_draining boolean, keys bigint)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_is_draining is not null, 'p_is_draining: true or false');
  perform core._require(exists (select 1 from vpn.node n where n.name = p_name),
                        'p_name: a name in vpn.list_nodes()');
  perform account._require_admin(p_admin_id);

  update vpn.node n
  set is_draining = p_is_draining
  where n.name = p_name and n.is_draining <> p_is_draining;
  if found then
    perform audit._record('vpn.set_node', p_admin_id, p_name,
                          jsonb_build_object('is_draining', p_is_draining));
  end if;

  return query
  select p_name, p_is_draining, count(*) from vpn.placement p where p.node = p_name;
end
$$;

comment on function vpn.set_node is
  'A draining node gets no new keys from the next batch on; the keys that lead to it work on until '
  'vpn.move_keys. Safe to call again.';

grant execute on function vpn.set_node to atlas_admin, atlas_dba;
