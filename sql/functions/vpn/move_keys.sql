-- Makes new keys, at other nodes, for users of a node that is draining.
-- Locks: account.admin row (share), users (rows, skip locked), vpn.placement.
-- Raises: US003, 22023, OP001, OP003.
create or replace function vpn.move_keys(p_admin_id bigint, p_name text, p_limit int)
returns table (moved int, keys bigint)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_user record;
  v_moved int := 0;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform core._require(
    exists (select 1 from vpn.node n where n.name = p_name and n.is_draining),
    'p_name: a node that is draining: vpn.set_node first, or its keys come back to it');
  perform account._require_admin(p_admin_id);

  for v_user in
    select p.telegram_id, p.vpn_uuid
    from vpn.placement p
    join subscription.subscription s on s.telegram_id = p.telegram_id and s.vpn_uuid = p.vpn_uuid
    join account.account a on a.telegram_id = p.telegram_id
    where p.node = p_name and s.expires_at > core.now()
    order by p.telegram_id
    limit p_limit
    for no key update of a skip locked
  loop
    v_now := core.now();
    delete from vpn.placement p
    using subscription.subscription s
    where p.vpn_uuid = v_user.vpn_uuid and p.node = p_name and s.telegram_id = v_user.telegram_id
      and s.vpn_uuid = v_user.vpn_uuid and s.expires_at > v_now;
    if found then
      insert into outbox.task (telegram_id, kind, name, due_at, created_at, vpn_uuid)
      values (v_user.telegram_id, 'provision', 'add', v_now, v_now, v_user.vpn_uuid);
      v_moved := v_moved + 1;
    end if;
  end loop;
  if v_moved > 0 then
    perform audit._record('vpn.move_keys', p_admin_id, p_name,
                          jsonb_build_object('moved', v_moved));
  end if;

  return query select v_moved, count(*) from vpn.placement p where p.node = p_name;
end
$$;

comment on function vpn.move_keys is
  'The identity stays, the key that goes out as message key_ready leads elsewhere; the old one '
  'works until then. keys: how many still lead there, those of ended subscriptions included. Call '
  'it until moved is 0.';

grant execute on function vpn.move_keys to atlas_admin, atlas_dba;
