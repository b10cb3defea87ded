-- Starts a broadcast, or goes on with one that was paused.
-- Locks: account.admin row (share), the broadcast's row.
-- Raises: BR001, BR002, US003, 22023, OP001, OP003.
create or replace function broadcast.start(p_admin_id bigint, p_broadcast_id bigint)
returns table (
  broadcast_id bigint, status text, is_replay boolean, moved_by bigint, moved_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform core._guard('admin_actions');
  perform core._require_feature('broadcasts');
  return query
  select p_broadcast_id, 'running', m.is_replay, m.moved_by, m.moved_at
  from broadcast._move(
    p_admin_id, p_broadcast_id, 'broadcast.start', '{draft,paused}', 'running') m;
end
$$;

comment on function broadcast.start is
  'Workers send it from now on, or from its time; broadcast.progress says how far it is. moved_by: '
  'who started it, and when.';

grant execute on function broadcast.start to atlas_admin, atlas_dba;
