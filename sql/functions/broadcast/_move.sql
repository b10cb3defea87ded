-- Moves a broadcast from one of some states to another.
-- Locks: account.admin row (share), the broadcast's row.
-- Raises: BR001, BR002, US003, 22023.
create or replace function broadcast._move(
  p_admin_id bigint, p_broadcast_id bigint, p_action text, p_from broadcast.status[],
  p_to broadcast.status)
returns table (is_replay boolean, moved_by bigint, moved_at timestamptz)
language plpgsql
volatile
as $$
#variable_conflict use_column
declare
  v_status broadcast.status;
  v_now timestamptz;
begin
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform account._require_admin(p_admin_id);
  v_status := broadcast._lock(p_broadcast_id);
  v_now := core.now();
  if v_status <> all (p_from || p_to) then
    perform core._refuse('BR002', format('broadcast %s is %s', p_broadcast_id, v_status));
  end if;

  is_replay := v_status = p_to;
  if not is_replay then
    update broadcast.broadcast b
    set status = p_to, moved_by = p_admin_id, moved_at = v_now,
        started_at = case p_to when 'running' then coalesce(b.started_at, v_now)
                               else b.started_at end,
        ended_at = case p_to when 'cancelled' then v_now end
    where b.broadcast_id = p_broadcast_id;
    perform audit._record(p_action, p_admin_id, p_broadcast_id::text);
  end if;

  return query
  select _move.is_replay, b.moved_by::bigint, b.moved_at
  from broadcast.broadcast b
  where b.broadcast_id = p_broadcast_id;
end
$$;

comment on function broadcast._move is
  'is_replay: it is there already, whoever moved it. Several admins mind a broadcast: the second '
  'one''s call is a replay that says whose the first was.';
