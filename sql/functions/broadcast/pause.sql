-- Stops sending a broadcast for a while.
-- Locks: account.admin row (share), the broadcast's row.
-- Raises: BR001, BR002, US003, 22023, OP001, OP003.
create or replace function broadcast.pause(p_admin_id bigint, p_broadcast_id bigint)
returns table (
  broadcast_id bigint, status text, is_replay boolean, moved_by bigint, moved_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform core._guard('admin_actions');
  return query
  select p_broadcast_id, 'paused', m.is_replay, m.moved_by, m.moved_at
  from broadcast._move(p_admin_id, p_broadcast_id, 'broadcast.pause', '{running}', 'paused') m;
end
$$;

comment on function broadcast.pause is
  'What workers have in hand goes out; broadcast.start goes on where it was. moved_by: who paused '
  'it, and when.';

grant execute on function broadcast.pause to atlas_admin, atlas_dba;
