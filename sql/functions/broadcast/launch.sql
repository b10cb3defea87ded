-- Starts a broadcast at a time, or goes on with a paused one then.
-- Locks: account.admin row (share), the broadcast's row.
-- Raises: BR001, BR002, US003, 22023, OP001, OP003.
create or replace function broadcast.launch(
  p_admin_id bigint, p_broadcast_id bigint, p_starts_at timestamptz, p_moved_at timestamptz)
returns table (
  broadcast_id bigint, status text, is_replay boolean, moved_by bigint, moved_at timestamptz,
  starts_at timestamptz)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_moved record;
  v_first record;
begin
  perform core._guard('admin_actions');
  perform core._require_feature('broadcasts');
  perform core._require(
    p_starts_at is null
    or isfinite(p_starts_at) and p_starts_at <= core.now() + interval '366 days',
    'p_starts_at: within a year, or null for at once');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform account._require_admin(p_admin_id);
  perform broadcast._lock(p_broadcast_id);
  select b.starts_at, b.segment, b.reached_id, b.status, b.moved_by, b.moved_at into v_first
  from broadcast.broadcast b
  where b.broadcast_id = p_broadcast_id;
  if v_first.status = 'running' and v_first.starts_at is distinct from p_starts_at
     or v_first.status <> 'running' and v_first.moved_at is distinct from p_moved_at then
    perform core._refuse('BR002', format(
      'broadcast %s is %s since %s, moved by %s', p_broadcast_id, v_first.status,
      v_first.moved_at, v_first.moved_by));
  end if;

  select m.* into v_moved
  from broadcast._move(
    p_admin_id, p_broadcast_id, 'broadcast.start', '{draft,paused}', 'running') m;
  if not v_moved.is_replay then
    update broadcast.broadcast b
    set starts_at = p_starts_at,
        expected_people = case when v_first.reached_id > 0 then b.expected_people
                               else s.people end
    from broadcast._size(v_first.segment, core.now()) s
    where b.broadcast_id = p_broadcast_id;
  end if;

  return query
  select p_broadcast_id, 'running', v_moved.is_replay, v_moved.moved_by::bigint,
         v_moved.moved_at::timestamptz, p_starts_at;
end
$$;

comment on function broadcast.launch is
  'As broadcast.start, with a time in place of the one that it was written with; a past one is at '
  'once. p_moved_at: as broadcast.show gave it when this was decided (null: never started); who '
  'was faster is not overruled (BR002). Again with the same time: a replay that says whose the '
  'first was; with another: BR002, pause it first.';

grant execute on function broadcast.launch to atlas_admin, atlas_dba;
