-- What a subscription in force becomes when a purchase is taken back.
-- Locks: none; the caller holds the user's lock.
-- Raises: nothing.
create or replace function billing._state_without(
  p_telegram_id bigint, p_purchase_id uuid, p_now timestamptz,
  out tariff text, out expires_at timestamptz, out period subscription.period,
  out restored_from bigint)
language plpgsql
stable
as $$
#variable_conflict use_column
declare
  v_latest timestamptz;
  v_taken interval;
begin
  restored_from := billing._undone_since(p_telegram_id, p_purchase_id);

  if restored_from is null then -- its own period is taken off the end, and the tariff stays
    select s.tariff, s.expires_at, s.period,
           billing._left_of(p_telegram_id, c.place, 1::bigint << 62)
    into strict _state_without.tariff, _state_without.expires_at, _state_without.period, v_taken
    from subscription.subscription s
    join billing._chain(p_telegram_id) c on c.is_purchase and c.purchase_id = p_purchase_id
    where s.telegram_id = p_telegram_id;
  else -- as it was before the first of what is undone, but for what was taken away since
    select c.before_tariff, c.before_expires_at, c.before_period
    into strict _state_without.tariff, _state_without.expires_at, _state_without.period
    from billing._chain(p_telegram_id) c
    where c.place = _state_without.restored_from;
    select sum(billing._left_of(p_telegram_id, c.place, _state_without.restored_from))
    into v_taken
    from billing._chain(p_telegram_id) c
    where c.is_purchase and c.place < _state_without.restored_from
      and c.taken_back_at > _state_without.restored_from;
  end if;

  if expires_at is null then
    return;
  end if;
  v_latest := expires_at;
  -- In UTC: the days of an interval are as long as the session's time zone makes them.
  expires_at := ((v_latest at time zone 'UTC') - coalesce(v_taken, '0')) at time zone 'UTC';
  expires_at := greatest(expires_at, least(v_latest, p_now));
end
$$;

comment on function billing._state_without is
  'The latest purchase''s state before is restored exactly (nulls: no subscription); an earlier '
  'one''s period is taken off the end, which is then not before now.';
