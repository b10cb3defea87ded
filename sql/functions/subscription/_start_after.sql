-- Where the months of a purchase would begin, were it paid at p_now.
-- Locks: none.
-- Raises: nothing.
create or replace function subscription._start_after(
  p_now timestamptz, p_tariff text, p_before_tariff text, p_before_expires_at timestamptz,
  p_before_period subscription.period)
returns timestamptz
language plpgsql
stable
as $$
begin
  if (p_before_expires_at > p_now) is not true or p_before_period = 'trial' then
    return p_now;
  elsif p_before_tariff = p_tariff then
    return p_before_expires_at;
  end if;
  -- In UTC: the days of an interval are as long as the session's time zone makes them.
  return ((p_now at time zone 'UTC')
          + billing._convert(p_before_expires_at - p_now, p_before_tariff, p_tariff))
         at time zone 'UTC';
end
$$;

comment on function subscription._start_after is
  'The end in force, or now; a trial is replaced; another tariff converts the remaining time when '
  'it ranks higher. Nulls: no subscription yet.';
