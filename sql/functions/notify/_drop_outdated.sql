-- Closes those of some messages that are reminders of what is no longer so.
-- Locks: outbox.task rows; the caller has leased them.
-- Raises: nothing.
create or replace function notify._drop_outdated(p_users bigint[], p_tasks bigint[])
returns void
language plpgsql
volatile
as $$
declare
  v_now timestamptz := core.now();
  v_tolerance interval := make_interval(secs => ops._setting_value('reminder_tolerance_seconds'));
begin
  update outbox.task t
  set finished_at = v_now, outcome = 'outdated', leased_until = null
  from unnest(p_users, p_tasks) c (telegram_id, task_id)
  where t.telegram_id = c.telegram_id and t.task_id = c.task_id and t.finished_at is null
    and exists (select 1 from notify.reminder m where m.template = t.name)
    and (t.created_at < v_now - v_tolerance
      or not exists (
        select 1 from subscription.subscription s
        where s.telegram_id = t.telegram_id and s.expires_at > v_now
          and s.expires_at = (t.arguments ->> 'expires_at')::timestamptz));
end
$$;

comment on function notify._drop_outdated is
  'A reminder that could not be sent for longer than the setting reminder_tolerance_seconds, or of '
  'an end that has passed or has moved, is not sent any more: after an outage of the sender nobody '
  'gets several at once, or one that is not true.';
