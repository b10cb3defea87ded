-- Ends rewards together with their claw-backs, where neither has been worked yet.
-- Locks: none; the caller holds the referrers' locks.
-- Raises: nothing.
create or replace function referral._void(p_users bigint[], p_tasks bigint[], p_now timestamptz)
returns void
language plpgsql
volatile
as $$
begin
  with pair as (
    select distinct r.telegram_id, r.purchase_id, r.other_id, r.amount_kopecks,
           r.task_id as reward_id, c.task_id as clawback_id
    from unnest(p_users, p_tasks) d (telegram_id, task_id)
    join outbox.task t on t.telegram_id = d.telegram_id and t.task_id = d.task_id
    join outbox.task r on r.telegram_id = t.telegram_id and r.purchase_id = t.purchase_id
      and r.kind = 'cashback' and r.name = 'reward' and r.finished_at is null
    join outbox.task c on c.telegram_id = t.telegram_id and c.purchase_id = t.purchase_id
      and c.kind = 'cashback' and c.name = 'clawback' and c.finished_at is null
  ), voided as (
    insert into referral.reward (
      telegram_id, purchase_id, referred_id, status, paid_kopecks, percent, reward_kopecks,
      rewarded_at)
    select p.telegram_id, p.purchase_id, p.other_id, 'void', p.amount_kopecks, 0, 0, p_now
    from pair p
  )
  update outbox.task t
  set finished_at = p_now, outcome = 'void'
  from pair p
  where t.telegram_id = p.telegram_id and t.task_id in (p.reward_id, p.clawback_id);
end
$$;

comment on function referral._void is
  'A purchase that was taken back before its cashback was paid neither counts nor pays.';
