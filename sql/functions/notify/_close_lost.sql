-- Closes messages whose outcome is unknown: sent by a worker that never said so.
-- Locks: outbox.task rows (skip locked).
-- Raises: nothing.
create or replace function notify._close_lost()
returns void
language plpgsql
volatile
as $$
begin
  with lost as (
    select t.telegram_id, t.task_id
    from outbox.task t
    where t.finished_at is null and t.leased_until <= core.now() and t.kind = 'message'
      and not t.is_repeatable
    limit 100
    for no key update skip locked
  )
  update outbox.task t
  set finished_at = core.now(), outcome = 'lost', leased_until = null
  from lost l
  where t.telegram_id = l.telegram_id and t.task_id = l.task_id;
end
$$;

comment on function notify._close_lost is 'A message other than a key is never sent twice.';
