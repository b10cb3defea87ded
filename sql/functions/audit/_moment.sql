-- Writes a moment the same way whatever the session's time zone and date style.
-- Locks: none.
-- Raises: nothing.
create or replace function audit._moment(p_at timestamptz)
returns text
language sql
stable
as $$
  select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US AD')
$$;

comment on function audit._moment is 'UTC, to the microsecond: 2027-03-05 10:00:00.000000 AD.';
