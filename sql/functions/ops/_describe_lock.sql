-- Says in words what a session waits for.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._describe_lock(
  p_pid int, p_locktype text, p_relation oid, p_page int, p_tuple smallint, p_classid oid,
  p_objid oid, p_objsubid smallint)
returns text
language plpgsql
stable
as $$
declare
  v_key bigint;
  v_row text;
begin
  if p_locktype = 'advisory' and p_objsubid = 1 then
    v_key := (p_classid::bigint << 32) | p_objid::bigint;
    return case v_key >> 56
             when 1 then format('user %s', v_key & ((1::bigint << 56) - 1))
             else format('advisory lock %s', v_key)
           end;
  elsif p_locktype = 'transactionid' then
    -- Who waits for the writer of a row holds the place in that row's queue.
    select format('row (%s,%s) of %s', l.page, l.tuple, l.relation::regclass) into v_row
    from pg_locks l
    where l.pid = p_pid and l.locktype = 'tuple' and l.granted
    limit 1;
    return coalesce(v_row, 'the end of a transaction');
  elsif p_locktype = 'tuple' then
    return format('row (%s,%s) of %s', p_page, p_tuple, p_relation::regclass);
  elsif p_relation is not null then
    return format('%s %s', p_locktype, p_relation::regclass);
  end if;

  return p_locktype;
end
$$;

comment on function ops._describe_lock is
  'A user (the advisory lock of account._lock), a row by its ctid, a table, or the lock''s type.';
