-- Until when a purchase opened now may be paid.
-- Locks: none.
-- Raises: nothing.
create or replace function billing._lifetime(p_now timestamptz)
returns timestamptz
language sql
stable
as $$
  select p_now + make_interval(secs => ops._setting_value('purchase_lifetime_seconds')::float8)
$$;

comment on function billing._lifetime is 'The end of a purchase opened now.';
