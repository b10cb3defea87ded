-- Gives a leased task back for a later attempt.
-- Locks: none; the caller holds the row.
-- Raises: nothing.
create or replace function outbox._retry(
  p_telegram_id bigint, p_task_id bigint, p_error text, p_wait interval, p_attempts_back int)
returns timestamptz
language plpgsql
volatile
as $$
declare
  v_due_at timestamptz;
begin
  update outbox.task t
  set due_at = core.now() + p_wait, attempt = t.attempt - p_attempts_back,
      leased_until = null, holder = null, last_error = left(p_error, 1000)
  where t.telegram_id = p_telegram_id and t.task_id = p_task_id
  returning t.due_at into v_due_at;
  return v_due_at;
end
$$;

comment on function outbox._retry is
  'Moves a task''s due time; its token stays, so that a repeat is known.';
