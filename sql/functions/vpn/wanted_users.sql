-- What a VPN node should hold now.
-- Locks: none.
-- Raises: nothing.
create or replace function vpn.wanted_users()
returns table (vpn_uuid uuid, device_limit int, expires_at timestamptz)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select s.vpn_uuid, t.device_limit::int, s.expires_at
  from subscription.subscription s
  join billing.tariff t on t.tariff = s.tariff
  where s.expires_at > core.now() and s.activation in ('active', 'pending')
  order by s.vpn_uuid
$$;

comment on function vpn.wanted_users is
  'Every identity that is paid for; a node that has restarted gets them all with PUT /users. '
  'Reads only.';

grant execute on function vpn.wanted_users to atlas_worker, atlas_dba;
