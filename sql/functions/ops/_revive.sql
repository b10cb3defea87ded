-- Puts what was given up back to work, if it is there and was given up.
-- Locks: the inbox.update row, the ops.export row; the caller holds the row in ops.dead.
-- Raises: nothing.
create or replace function ops._revive(p_job_name text, p_subject text)
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
    insert into outbox.task (
      telegram_id, kind, name, due_at, created_at, is_repeatable, purchase_id, vpn_uuid,
      amount_kopecks, other_id, arguments)
    select t.telegram_id, t.kind, t.name, core.now(), core.now(), t.is_repeatable, t.purchase_id,
           t.vpn_uuid, t.amount_kopecks, t.other_id, t.arguments
    from outbox.task t
    where t.telegram_id = ops._user_of_message(p_subject)
      and t.task_id = substring(p_subject from '^message:([0-9]{1,18})$')::bigint
      and t.kind = 'message' and t.outcome = 'failed';
    return found;
  elsif p_job_name = 'ops.send_exports' then
    update ops.export e
    set finished_at = null, outcome = null, attempt = 0, due_at = core.now()
    where e.export_id = substring(p_subject from '^export:([0-9]{1,18})$')::bigint
      and e.outcome = 'failed'
      and not exists (
        select 1 from ops.export o
        where o.admin_id = e.admin_id and o.kind = e.kind and o.finished_at is null
          and o.batch_id is not distinct from e.batch_id);
    return found;
  elsif p_job_name = 'vpn.reissue_due' then
    return false; -- its request has gone on: an admin gives the user a new key
  end if;

  return true; -- a *_due job passes its subject by only while the row is there
end
$$;

comment on function ops._revive is
  'A message is queued anew, and only where it certainly never arrived (outcome failed): it is not '
  'doubled. The row in ops.dead, which goes with it, is why that happens once.';
