-- Finds the first row that is not as it was sealed.
-- Locks: none.
-- Raises: nothing.
create or replace function audit._first_bad_row()
returns table (batch_id bigint, problem text)
language sql
stable
as $$
  with sealed as (
    select b.batch_id, s.place, s.row_id, s.row_hash
    from audit.batch b
    cross join unnest(b.row_ids, b.row_hashes) with ordinality s (row_id, row_hash, place)
  ), judged as (
    select coalesce(s.batch_id, (select min(b.batch_id) from audit.batch b
                                 where b.to_xid > r.recorded_xid)) as batch_id,
           s.place, r.row_id as found_id,
           case
             when r.row_id is null then s.row_id || ' is missing'
             when s.row_id is null then r.row_id || ' was added'
             else s.row_id || ' was edited'
           end as problem
    from sealed s
    full join audit._rows(0, (select max(b.to_xid) from audit.batch b)) r on r.row_id = s.row_id
    where s.row_hash is distinct from r.row_hash
  )
  select j.batch_id, j.problem from judged j
  order by j.batch_id, j.place, j.found_id collate "C"
  limit 1
$$;

comment on function audit._first_bad_row is
  'Compares every sealed row''s hash with the row as it is now, and looks for rows that were added '
  'to a sealed range; no row when all agree.';
