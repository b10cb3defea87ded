-- Gives the end of the seal: the last batch, or zeros before the first.
-- Locks: none.
-- Raises: nothing.
create or replace function audit._last_batch()
returns table (batch_id bigint, to_xid bigint, sealed_rows bigint, hash bytea)
language sql
stable
as $$
  select l.batch_id, l.to_xid, l.sealed_rows, l.hash
  from (
    select b.batch_id, b.to_xid, b.sealed_rows, b.hash from audit.batch b
    union all
    select 0, 0, 0, decode(repeat('00', 32), 'hex')
  ) l
  order by l.batch_id desc
  limit 1
$$;

comment on function audit._last_batch is 'One row always.';
