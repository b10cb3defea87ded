-- Calendar months later, in UTC.
-- Locks: none.
-- Raises: nothing.
create or replace function subscription._add_months(p_start timestamptz, p_months int)
returns timestamptz
language sql
immutable
as $$
  select ((p_start at time zone 'UTC') + make_interval(months => p_months)) at time zone 'UTC'
$$;

comment on function subscription._add_months is
  '31 January + 1 month is 28 or 29 February, whatever the session''s time zone.';
