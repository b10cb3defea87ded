-- A moment as it is written into exports.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._export_time(p_at timestamptz)
returns text
language sql
stable
as $$
  select coalesce(to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')
$$;

comment on function ops._export_time is 'ISO 8601, UTC, to the second; empty for null.';
