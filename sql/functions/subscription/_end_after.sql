-- Where a purchase would put the end of a subscription, were it paid at p_now.
-- Locks: none.
-- Raises: nothing.
create or replace function subscription._end_after(
  p_now timestamptz, p_tariff text, p_months int,
  p_before_tariff text, p_before_expires_at timestamptz, p_is_trial boolean)
returns timestamptz
language plpgsql
stable
as $$
declare
  v_start timestamptz := p_now;
begin
  if p_before_expires_at > p_now and not p_is_trial then
    v_start := p_before_expires_at;
    if p_before_tariff <> p_tariff then
      -- In UTC: the days of an interval are as long as the session's time zone makes them.
      v_start := ((p_now at time zone 'UTC')
                  + billing._convert(v_start - p_now, p_before_tariff, p_tariff))
                 at time zone 'UTC';
    end if;
  end if;

  return ((v_start at time zone 'UTC') + make_interval(months => p_months)) at time zone 'UTC';
end
$$;

comment on function subscription._end_after is
  'Calendar months in UTC, from the end in force or from now; a trial is replaced; another tariff'
  ' converts the remaining time when it ranks higher. Nulls: no subscription yet.';
