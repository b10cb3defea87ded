-- Writes a bought period into the subscription's row.
-- Locks: subscription; the caller holds the user's lock.
-- Raises: nothing.
create or replace function subscription._extend(
  p_telegram_id bigint, p_tariff text, p_expires_at timestamptz, p_vpn_uuid uuid,
  p_now timestamptz)
returns void
language plpgsql
volatile
as $$
begin
  update subscription.subscription s
  set tariff = p_tariff,
      period = 'paid',
      started_at = case when s.vpn_uuid = p_vpn_uuid and s.period = 'paid'
                        then s.started_at else p_now end,
      expires_at = p_expires_at,
      activation = case when s.vpn_uuid = p_vpn_uuid and s.activation = 'active'
                        then s.activation else 'pending' end,
      key_uri = case when s.vpn_uuid = p_vpn_uuid then s.key_uri end,
      vpn_uuid = p_vpn_uuid,
      expiry_check_at = least(s.expiry_check_at, p_expires_at),
      renew_check_at = case when not s.auto_renew then null
                            when p_expires_at < s.expires_at then p_now
                            else coalesce(s.renew_check_at, p_now) end,
      reminder_check_at = case when p_expires_at < s.expires_at then p_now
                               else coalesce(s.reminder_check_at, p_now) end
  where s.telegram_id = p_telegram_id;
  if not found then
    insert into subscription.subscription (
      telegram_id, tariff, started_at, expires_at, activation, vpn_uuid, expiry_check_at,
      reminder_check_at)
    values (p_telegram_id, p_tariff, p_now, p_expires_at, 'pending', p_vpn_uuid, p_expires_at,
            p_now);
  end if;
end
$$;

comment on function subscription._extend is
  'A purchase, paid. Due times that are set stay where they are: only the worker moves them '
  'forward, so that renewing is a HOT update. A move to a dearer tariff can bring the end forward: '
  'then the worker looks at once.';
