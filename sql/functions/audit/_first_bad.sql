-- Names the first thing that is not as it was sealed.
-- Locks: none.
-- Raises: nothing.
create or replace function audit._first_bad()
returns text
language sql
stable
as $$
  select f.problem
  from (
    select b.batch_id, 1 as step, b.problem from audit._first_bad_batch() b
    union all
    select r.batch_id, 2, r.problem from audit._first_bad_row() r
    union all
    select max(b.batch_id) + 1, 3,
           format('the server''s transaction counter is at %s, behind the seal at %s',
                  pg_snapshot_xmax(pg_current_snapshot()), max(b.to_xid))
    from audit.batch b
    having max(b.to_xid) > pg_snapshot_xmax(pg_current_snapshot())::text::bigint
  ) f
  order by f.batch_id, f.step
  limit 1
$$;

comment on function audit._first_bad is
  'The earliest of: a broken batch, a changed row, a transaction counter that went back (a dump '
  'restored into a new server: rows written there would count as added to a sealed range).';
