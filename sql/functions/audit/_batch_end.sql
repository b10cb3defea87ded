-- Finds where a batch of about so many rows ends: between two transactions.
-- Locks: none.
-- Raises: nothing.
create or replace function audit._batch_end(
  p_from_xid bigint, p_settled_xid bigint, p_limit int)
returns bigint
language plpgsql
stable
as $$
declare
  v_width bigint := p_limit;
  v_to_xid bigint;
  v_last_xid bigint;
begin
  loop -- a wider range each time, so that a long backlog is not sorted as a whole
    v_to_xid := least(p_from_xid + v_width, p_settled_xid);

    select r.recorded_xid into v_last_xid
    from (
      select t.recorded_xid from ledger.transfer t
      where t.recorded_xid >= p_from_xid and t.recorded_xid < v_to_xid
      union all
      select e.recorded_xid from audit.entry e
      where e.recorded_xid >= p_from_xid and e.recorded_xid < v_to_xid
    ) r
    order by r.recorded_xid
    offset p_limit - 1 limit 1;

    exit when found or v_to_xid >= p_settled_xid;
    v_width := v_width * 8;
  end loop;

  return coalesce(v_last_xid + 1, p_settled_xid);
end
$$;

comment on function audit._batch_end is
  'A transaction is never split: one that wrote more than p_limit rows is taken whole.';
