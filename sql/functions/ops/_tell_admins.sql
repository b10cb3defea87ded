-- Queues a message for every admin.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._tell_admins(p_template text, p_arguments jsonb)
returns void
language sql
volatile
as $$
  insert into outbox.task (telegram_id, kind, name, due_at, created_at, arguments)
  select a.telegram_id, 'message', p_template, core.now(), core.now(), p_arguments
  from account.admin a
  where a.is_active
$$;

comment on function ops._tell_admins is
  'One message each, through the outbox: whoever is an admin when it is queued gets it.';
