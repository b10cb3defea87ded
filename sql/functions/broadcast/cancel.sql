-- Ends a broadcast before everybody has had their turn.
-- Locks: account.admin row (share), the broadcast's row, broadcast.recipient rows, its tally.
-- Raises: BR001, BR002, US003, 22023, OP001, OP003.
create or replace function broadcast.cancel(p_admin_id bigint, p_broadcast_id bigint)
returns table (
  broadcast_id bigint, status text, is_replay boolean, moved_by bigint, moved_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_moved record;
  v_given_up bigint;
begin
  perform core._guard('admin_actions');
  select m.* into v_moved
  from broadcast._move(
    p_admin_id, p_broadcast_id, 'broadcast.cancel', '{draft,running,paused}', 'cancelled') m;

  update broadcast.recipient r
  set outcome = 'failed', due_at = null, finished_at = core.now()
  where r.broadcast_id = p_broadcast_id and r.finished_at is null and r.outcome = 'waiting';
  get diagnostics v_given_up = row_count;
  update broadcast.tally t
  set failed = t.failed + v_given_up
  where t.broadcast_id = p_broadcast_id and v_given_up > 0;

  return query
  select p_broadcast_id, 'cancelled', v_moved.is_replay, v_moved.moved_by, v_moved.moved_at;
end
$$;

comment on function broadcast.cancel is
  'For good. What workers have in hand goes out; who waited for another attempt gets none. '
  'moved_by: who cancelled it, and when.';

grant execute on function broadcast.cancel to atlas_admin, atlas_dba;
