-- Works the cashback tasks of locked referrers off, each referrer's in their order.
-- Locks: wallets.
-- Raises: nothing.
create or replace function referral._work(
  p_locked bigint[], p_users bigint[], p_tasks bigint[], p_now timestamptz,
  out paid int, out paid_kopecks bigint)
language plpgsql
volatile
as $$
#variable_conflict use_column
declare
  v_users bigint[];
  v_tasks bigint[];
  v_task record;
  v_reward_kopecks bigint;
begin
  select array_agg(d.telegram_id), array_agg(d.task_id) into v_users, v_tasks
  from unnest(p_users, p_tasks) d (telegram_id, task_id)
  where d.telegram_id = any (p_locked);
  perform referral._void(v_users, v_tasks, p_now);

  paid := 0;
  paid_kopecks := 0;
  for v_task in
    select t.telegram_id, t.task_id, t.name, t.purchase_id, t.other_id, t.amount_kopecks
    from unnest(v_users, v_tasks) d (telegram_id, task_id)
    join outbox.task t on t.telegram_id = d.telegram_id and t.task_id = d.task_id
    where t.finished_at is null
    order by t.telegram_id, t.task_id
  loop
    if v_task.name = 'reward' then
      v_reward_kopecks := referral._reward(v_task.telegram_id, v_task.purchase_id,
                                           v_task.other_id, v_task.amount_kopecks, p_now);
      paid := paid + (v_reward_kopecks > 0)::int;
      paid_kopecks := paid_kopecks + v_reward_kopecks;
      perform outbox._finish(v_task.telegram_id, v_task.task_id, 'done');
    elsif referral._claw_back(v_task.telegram_id, v_task.purchase_id, p_now) then
      perform outbox._finish(v_task.telegram_id, v_task.task_id, 'done');
    else
      perform outbox._finish(v_task.telegram_id, v_task.task_id, 'void');
    end if;
  end loop;
end
$$;

comment on function referral._work is
  'paid and paid_kopecks are the rewards paid, before any claw-back in the same run.';
