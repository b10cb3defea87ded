-- Locks a broadcast.
-- Locks: the broadcast's row.
-- Raises: BR001, 22023.
create or replace function broadcast._lock(p_broadcast_id bigint)
returns broadcast.status
language plpgsql
volatile
as $$
declare
  v_status broadcast.status;
begin
  perform core._require(p_broadcast_id is not null, 'p_broadcast_id: the id from prepare');
  select b.status into v_status
  from broadcast.broadcast b
  where b.broadcast_id = p_broadcast_id
  for no key update;
  if not found then
    perform core._refuse('BR001', format('broadcast_id %s', p_broadcast_id));
  end if;
  return v_status;
end
$$;

comment on function broadcast._lock is 'And gives its status.';
