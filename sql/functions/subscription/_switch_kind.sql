-- What buying a tariff now would do to the subscription in force.
-- Locks: none.
-- Raises: nothing.
create or replace function subscription._switch_kind(
  p_telegram_id bigint, p_tariff text, p_now timestamptz)
returns text
language sql
stable
as $$
  select case when s.period = 'trial' then 'trial'
              when s.tariff = b.tariff then null
              when b.rank > o.rank then 'up'
              else 'down' end
  from subscription.subscription s
  join billing.tariff o on o.tariff = s.tariff
  join billing.tariff b on b.tariff = p_tariff
  where s.telegram_id = p_telegram_id and s.expires_at > p_now
$$;

comment on function subscription._switch_kind is
  'trial: it is replaced; up: the remaining time converts; down: it stays; null: the same tariff, '
  'or nothing is in force. For screens: subscription._start_after decides.';
