-- Records an alarm and queues it for every admin.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._alarm(p_alarm text, p_subject text, p_detail text)
returns void
language plpgsql
volatile
as $$
declare
  v_now timestamptz := core.now();
begin
  perform audit._record('alarm.' || p_alarm, null, p_subject,
                        jsonb_build_object('detail', p_detail));

  insert into outbox.task (telegram_id, kind, name, due_at, created_at, arguments)
  select a.telegram_id, 'message', 'admin_alarm', v_now, v_now,
         jsonb_build_object('alarm', p_alarm, 'subject', p_subject, 'detail', p_detail)
  from account.admin a
  where a.is_active;
end
$$;

comment on function ops._alarm is 'Something an admin has to look at.';
