-- Ends the overdue subscriptions of users whose locks the caller holds.
-- Locks: subscription.
-- Raises: nothing.
create or replace function subscription._expire(p_users bigint[], p_now timestamptz)
returns int
language plpgsql
volatile
as $$
declare
  v_expired int;
begin
  with looked_at as (
    update subscription.subscription s
    set expiry_check_at = case when s.expires_at > p_now then s.expires_at end,
        activation = case when s.expires_at > p_now then s.activation else 'none' end,
        key_uri = case when s.expires_at > p_now then s.key_uri end,
        renew_check_at = case when s.expires_at > p_now then s.renew_check_at end,
        reminder_check_at = case when s.expires_at > p_now then s.reminder_check_at end
    where s.telegram_id = any (p_users) and s.expiry_check_at <= p_now
    returning s.telegram_id, s.tariff, s.period, s.expires_at, s.vpn_uuid,
              s.expires_at <= p_now as is_over
  ), told as (
    insert into outbox.task (telegram_id, kind, name, due_at, created_at, vpn_uuid, arguments)
    select l.telegram_id, t.kind, t.name, p_now, p_now, t.vpn_uuid, t.arguments
    from looked_at l
    cross join lateral (values
      ('provision'::outbox.kind, 'remove', l.vpn_uuid, null::jsonb),
      ('message', case l.period when 'trial' then 'trial_ended' else 'subscription_expired' end,
       null, jsonb_build_object('tariff', l.tariff, 'expires_at', l.expires_at))
    ) t (kind, name, vpn_uuid, arguments)
    where l.is_over
  )
  select (count(*) filter (where l.is_over))::int into v_expired from looked_at l;
  return v_expired;
end
$$;

comment on function subscription._expire is
  'What has ended loses its key, and its user is told; what was renewed meanwhile is looked at '
  'again at its end.';
