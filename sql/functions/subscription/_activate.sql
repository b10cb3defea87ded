-- Writes the row of a subscription that is in force.
-- Locks: subscription; the caller holds the user's lock.
-- Raises: nothing.
create or replace function subscription._activate(
  p_telegram_id bigint, p_tariff text, p_expires_at timestamptz, p_period subscription.period,
  p_vpn_uuid uuid, p_stops_renewal boolean, p_now timestamptz)
returns void
language plpgsql
volatile
as $$
declare
  v_trial_started_at timestamptz;
begin
  select c.changed_at into v_trial_started_at
  from subscription.change c where c.telegram_id = p_telegram_id and c.kind = 'trial';

  insert into subscription.subscription as s (
    telegram_id, tariff, period, started_at, expires_at, activation, vpn_uuid, expiry_check_at,
    reminder_check_at)
  values (p_telegram_id, p_tariff, p_period,
          case when p_period = 'trial' then v_trial_started_at else p_now end,
          p_expires_at, 'pending', p_vpn_uuid, p_expires_at, p_now)
  on conflict on constraint subscription_pkey do update
  set tariff = excluded.tariff,
      period = excluded.period,
      started_at = case when s.vpn_uuid = excluded.vpn_uuid and s.period = excluded.period
                        then s.started_at else excluded.started_at end,
      expires_at = excluded.expires_at,
      auto_renew = s.auto_renew and not p_stops_renewal,
      activation = case when s.vpn_uuid = excluded.vpn_uuid and s.activation = 'active'
                        then s.activation else 'pending' end,
      key_uri = case when s.vpn_uuid = excluded.vpn_uuid then s.key_uri end,
      vpn_uuid = excluded.vpn_uuid,
      expiry_check_at = least(s.expiry_check_at, excluded.expires_at),
      renew_check_at = case when s.auto_renew and not p_stops_renewal
                            then least(s.renew_check_at, p_now) end,
      reminder_check_at = p_now;
end
$$;

comment on function subscription._activate is
  'Makes the subscription, or changes it; the identity and its key stay as long as it is in force.';
