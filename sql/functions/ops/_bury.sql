-- Keeps what was given up, once, and tells the admins of it, once.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._bury(p_job_name text, p_subject text, p_error text)
returns void
language plpgsql
volatile
as $$
declare
  v_error text := left(p_error, 1000);
  v_told bigint := ops._setting_value('dead_letters_told');
  v_count bigint;
begin
  insert into ops.dead (job_name, subject, error, died_at)
  values (p_job_name, p_subject, v_error, core.now())
  on conflict on constraint dead_once do nothing;
  if not found then
    update ops.dead d set error = v_error, died_at = core.now()
    where d.job_name = p_job_name and d.subject = p_subject;
    return;
  end if;

  select count(*) into v_count
  from (select from ops.dead d where d.job_name = p_job_name limit v_told + 1) n;
  -- Of a lost message no message tells: it would be lost as well, and so on.
  if v_count <= v_told and p_job_name <> 'notify.send' then
    perform ops._alarm('dead_letter', p_job_name || ' ' || p_subject,
      v_error ||
      case when v_count = v_told then ' (you are not told of more of these)' else '' end);
  end if;
end
$$;

comment on function ops._bury is
  'Adds a row to ops.dead_letter, or renews it. The admins are told of a new one, but of no lost '
  'message, and of no more than 20 of one job (setting dead_letters_told) until some are cleared.';
