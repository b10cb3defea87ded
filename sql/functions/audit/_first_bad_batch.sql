-- Finds the first batch that breaks the chain.
-- Locks: none.
-- Raises: nothing.
create or replace function audit._first_bad_batch()
returns table (batch_id bigint, problem text)
language sql
stable
as $$
  with chain as (
    select b.*,
           lag(b.batch_id, 1, 0::bigint) over w as last_id,
           lag(b.to_xid, 1, 0::bigint) over w as last_xid,
           lag(b.sealed_rows, 1, 0::bigint) over w as last_rows,
           lag(b.hash, 1, decode(repeat('00', 32), 'hex')) over w as last_hash
    from audit.batch b
    window w as (order by b.batch_id)
  ), judged as (
    select c.batch_id,
           case
             when c.batch_id <> c.last_id + 1 then format('batch %s is missing', c.last_id + 1)
             when c.previous_hash <> c.last_hash or c.from_xid <> c.last_xid
               then format('batch %s does not follow batch %s', c.batch_id, c.last_id)
             when c.sealed_rows <> c.last_rows + cardinality(c.row_ids)
               then format('batch %s miscounts its rows', c.batch_id)
             when c.hash is distinct from audit._batch_hash(
                    c.batch_id, c.from_xid, c.to_xid, c.row_ids, c.row_hashes, c.previous_hash)
               then format('batch %s was edited', c.batch_id)
           end as problem
    from chain c
  )
  select j.batch_id, j.problem from judged j
  where j.problem is not null
  order by j.batch_id
  limit 1
$$;

comment on function audit._first_bad_batch is
  'Numbers, ranges, counts and hashes of all batches; no row when the chain is whole.';
