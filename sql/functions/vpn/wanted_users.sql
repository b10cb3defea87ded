-- What the VPN nodes should hold now.
-- Locks: none.
-- Raises: nothing.
create or replace function vpn.wanted_users()
returns table (
  vpn_uuid uuid, device_limit int, expires_at timestamptz, telegram_id bigint, node text,
  is_pending boolean)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select s.vpn_uuid, t.device_limit::int, s.expires_at, s.telegram_id::bigint, p.node,
         s.activation = 'pending'
  from subscription.subscription s
  join billing.tariff t on t.tariff = s.tariff
  left join vpn.placement p on p.vpn_uuid = s.vpn_uuid
  where s.expires_at > core.now() and s.activation in ('active', 'pending')
  order by s.vpn_uuid
$$;

comment on function vpn.wanted_users is
  'Every identity that is paid for, and the node that its key leads to (null: none yet, or nobody '
  'knows). is_pending: its job is not done, so it may be there already or not. Reads only.';

grant execute on function vpn.wanted_users to atlas_worker, atlas_dba;
