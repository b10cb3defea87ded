-- Ends a task.
-- Locks: none; the caller holds the row.
-- Raises: nothing.
create or replace function outbox._finish(
  p_telegram_id bigint, p_task_id bigint, p_outcome text, p_error text default null)
returns void
language plpgsql
volatile
as $$
begin
  update outbox.task t
  set finished_at = core.now(), outcome = p_outcome, leased_until = null,
      last_error = coalesce(left(p_error, 1000), t.last_error)
  where t.telegram_id = p_telegram_id and t.task_id = p_task_id;
end
$$;

comment on function outbox._finish is
  'Ends a task; its lease token stays, so that a repeat is known.';
