-- Puts what was given up back to work, if it is there and was given up.
-- Locks: the update or the message; the caller holds the message's user.
-- Raises: nothing.
create or replace function ops._revive(p_job_name text, p_subject text, p_telegram_id bigint)
returns boolean
language plpgsql
volatile
as $$
begin
  if p_job_name = 'inbox' then
    update inbox.update u
    set finished_at = null, attempt = 0, due_at = core.now()
    where u.update_id = substring(p_subject from '^update:([0-9]{1,18})$')::bigint
      and u.finished_at is not null;
    return found;
  elsif p_job_name = 'notify.send' then
    update outbox.task t
    set finished_at = null, outcome = null, attempt = 0, due_at = core.now(), leased_until = null
    where t.telegram_id = p_telegram_id
      and t.task_id = substring(p_subject from '^message:([0-9]{1,18})$')::bigint
      and t.kind = 'message' and t.outcome = 'failed';
    return found;
  end if;

  return true; -- a *_due job passes its subject by only while the row is there
end
$$;

comment on function ops._revive is
  'A message is revived only where it certainly never arrived (outcome failed): it is not doubled.';
