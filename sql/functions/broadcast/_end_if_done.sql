-- Ends a broadcast when everybody has had their turn, and tells who wrote it.
-- Locks: none; the caller holds the broadcast's row.
-- Raises: nothing.
create or replace function broadcast._end_if_done(p_broadcast_id bigint, p_now timestamptz)
returns void
language plpgsql
volatile
as $$
begin
  if exists (
    select 1 from broadcast.recipient r
    where r.broadcast_id = p_broadcast_id and r.finished_at is null) then
    return; -- somebody is being written to, or waits for another attempt
  end if;
  update broadcast.broadcast b
  set status = 'done', ended_at = p_now
  where b.broadcast_id = p_broadcast_id;

  insert into outbox.task (telegram_id, kind, name, due_at, created_at, arguments)
  select b.prepared_by, 'message', 'broadcast_done', p_now, p_now,
         jsonb_build_object('title', b.title, 'sent', p.sent, 'unreachable', p.unreachable,
                            'failed', p.failed, 'unknown', p.unknown)
  from broadcast.broadcast b
  join broadcast.progress p on p.broadcast_id = b.broadcast_id
  where b.broadcast_id = p_broadcast_id;
end
$$;

comment on function broadcast._end_if_done is 'Called when the segment has nobody left.';
