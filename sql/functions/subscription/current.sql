-- A user's subscription now.
-- Locks: none.
-- Raises: US001, 22023.
create or replace function subscription.current(p_telegram_id bigint)
returns table (
  status text, tariff text, expires_at timestamptz, auto_renew boolean, activation text,
  vpn_uuid uuid, key_uri text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require_user_id(p_telegram_id);

  return query
  select case when s.telegram_id is null then 'none'
              when s.expires_at <= v_now then 'expired'
              when s.period = 'trial' then 'trial'
              else 'active' end,
         s.tariff, s.expires_at, coalesce(s.auto_renew, false),
         coalesce(s.activation, 'none')::text, s.vpn_uuid, s.key_uri
  from account.account a
  left join subscription.subscription s on s.telegram_id = a.telegram_id
  where a.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

comment on function subscription.current is
  'status: none, trial, active or expired. activation: none, pending (the key is on its way), '
  'active or failed. key_uri is null until the node has given it. Reads only.';

grant execute on function subscription.current to
  atlas_bot, atlas_admin, atlas_worker, atlas_dba;
