-- Tells whether an identity is nobody's any more.
-- Locks: none.
-- Raises: nothing.
create or replace function vpn._is_stale(
  p_vpn_uuid uuid, p_current_uuid uuid, p_expires_at timestamptz, p_now timestamptz)
returns boolean
language plpgsql
immutable
as $$
begin
  return (p_vpn_uuid = p_current_uuid and p_expires_at > p_now) is not true;
end
$$;

comment on function vpn._is_stale is
  'For the identity and the end that the subscription has now (nulls: it has none). A stale '
  'identity never comes back: a subscription that begins again has a new one.';
