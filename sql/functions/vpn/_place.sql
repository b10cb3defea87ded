-- Remembers where an identity's key leads; null: nowhere any more, or nobody knows.
-- Locks: vpn.placement; the caller holds the user's lock.
-- Raises: nothing.
create or replace function vpn._place(p_vpn_uuid uuid, p_telegram_id bigint, p_node text)
returns void
language plpgsql
volatile
as $$
begin
  if p_node is null then
    delete from vpn.placement p where p.vpn_uuid = p_vpn_uuid;
    return;
  end if;
  insert into vpn.placement (vpn_uuid, telegram_id, node, placed_at)
  values (p_vpn_uuid, p_telegram_id, p_node, core.now())
  on conflict on constraint placement_pkey do update
  set node = excluded.node, placed_at = excluded.placed_at
  where vpn.placement.node <> excluded.node;
end
$$;

comment on function vpn._place is 'One identity is at one node: the last that made its key.';
