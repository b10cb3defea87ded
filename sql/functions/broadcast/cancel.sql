-- Ends a broadcast before everybody has had their turn.
-- Locks: account.admin row (share), the broadcast's row, broadcast.recipient rows.
-- Raises: BR001, BR002, US003, 22023, OP001, OP003.
create or replace function broadcast.cancel(p_admin_id bigint, p_broadcast_id bigint)
returns table (broadcast_id bigint, status text, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._guard('admin_actions');
  is_replay := broadcast._move(
    p_admin_id, p_broadcast_id, 'broadcast.cancel', '{draft,running,paused}', 'cancelled');

  update broadcast.recipient r
  set outcome = 'failed', due_at = null, finished_at = core.now()
  where r.broadcast_id = p_broadcast_id and r.finished_at is null and r.outcome = 'waiting';

  return query select p_broadcast_id, 'cancelled', cancel.is_replay;
end
$$;

comment on function broadcast.cancel is
  'For good. What workers have in hand goes out; who waited for another attempt gets none.';

grant execute on function broadcast.cancel to atlas_admin, atlas_dba;
