-- The oldest rewards and claw-backs that wait, but of referrers that were given up within the hour.
-- Locks: none.
-- Raises: nothing.
create or replace function referral._due_tasks(p_now timestamptz, p_limit int)
returns table (telegram_id bigint, task_id bigint)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
  return query
  select t.telegram_id::bigint, t.task_id
  from outbox.task t
  where t.kind = 'cashback' and t.finished_at is null and t.due_at <= p_now
    and not exists (
      select 1 from ops.dead d
      where d.job_name = 'referral.pay_due' and d.subject = 'telegram_id:' || t.telegram_id
        and d.died_at > p_now - interval '1 hour')
  order by t.due_at, t.task_id
  limit p_limit;
end
$$;

comment on function referral._due_tasks is
  'Candidates: they are looked at again once their referrers are locked.';
