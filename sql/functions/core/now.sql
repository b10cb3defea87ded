-- The clock that every decision about time reads, after the locks.
-- Locks: none.
-- Raises: nothing.
create or replace function core.now()
returns timestamptz
language sql
volatile
as $$
  select clock_timestamp()
$$;

comment on function core.now is
  'The clock: moves on while a transaction waits, unlike now(). Tests put another clock here.';

grant execute on function core.now to
  atlas_bot, atlas_payments, atlas_admin, atlas_worker, atlas_auditor, atlas_dba;
