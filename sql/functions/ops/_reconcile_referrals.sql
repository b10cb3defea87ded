-- Reconciles cashback with the purchases that it is for, with the ledger and with the totals.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._reconcile_referrals()
returns table (check_name text, subject text, detail text)
language sql
stable
as $$
  with booked as (
    select t.telegram_id, t.purchase_id,
           coalesce(sum(t.amount_kopecks) filter (where t.reason = 'cashback'), 0) as paid,
           coalesce(sum(t.amount_kopecks) filter (where t.reason = 'clawback'), 0) as clawed_back
    from ledger.transfer t
    where t.reason in ('cashback', 'clawback')
    group by t.telegram_id, t.purchase_id
  ), waiting as (
    select t.telegram_id, t.purchase_id, t.name
    from outbox.task t
    where t.kind = 'cashback' and t.finished_at is null
  ), owed as (
    select a.referrer_id, u.telegram_id, u.purchase_id, u.status, u.price_kopecks
    from billing.purchase u
    join account.account a on a.telegram_id = u.telegram_id
    where a.referrer_id is not null and u.kind = 'subscription' and u.price_kopecks > 0
      and u.status in ('paid', 'refunded')
  )
  select 'reward_is_booked', 'purchase:' || coalesce(r.purchase_id, b.purchase_id),
         format('%s %s of %s; ledger: paid %s, clawed back %s', r.status, r.reward_kopecks,
                coalesce(r.telegram_id, b.telegram_id), b.paid, b.clawed_back)
  from referral.reward r
  full join booked b on b.telegram_id = r.telegram_id and b.purchase_id = r.purchase_id
  where r.purchase_id is null
     or coalesce(b.paid, 0) <> r.reward_kopecks
     or coalesce(b.clawed_back, 0)
        <> case r.status when 'clawed_back' then r.reward_kopecks else 0 end
  union all
  select 'one_reward_per_purchase', 'purchase:' || r.purchase_id, format('%s rewards', count(*))
  from referral.reward r
  group by r.purchase_id having count(*) > 1
  union all
  select 'reward_is_for_its_purchase', 'purchase:' || r.purchase_id,
         format('%s for %s kopecks by %s, invited by %s: the purchase is %s for %s', r.status,
                r.paid_kopecks, r.referred_id, r.telegram_id, o.status, o.price_kopecks)
  from referral.reward r
  left join owed o on o.telegram_id = r.referred_id and o.purchase_id = r.purchase_id
  where (o.referrer_id, o.price_kopecks) is distinct from (r.telegram_id, r.paid_kopecks)
  union all
  select 'reward_is_its_percent', 'purchase:' || r.purchase_id,
         format('%s: %s of %s is %s percent', r.status, r.reward_kopecks, r.paid_kopecks, r.percent)
  from referral.reward r
  where r.reward_kopecks <> r.paid_kopecks * r.percent / 100
     or (r.status = 'void') <> (r.percent = 0)
     or (r.status = 'clawed_back') <> (r.clawed_back_at is not null)
  union all
  select 'purchase_is_rewarded', 'purchase:' || o.purchase_id,
         format('%s by %s, invited by %s: reward %s', o.status, o.telegram_id, o.referrer_id,
                coalesce(r.status::text, 'none'))
  from owed o
  left join referral.reward r on r.telegram_id = o.referrer_id and r.purchase_id = o.purchase_id
  where not exists (select 1 from waiting w
                    where w.telegram_id = o.referrer_id and w.purchase_id = o.purchase_id)
    and (r.status is null or (r.status = 'paid') <> (o.status = 'paid'))
  union all
  select 'paying_is_counted', 'telegram_id:' || coalesce(r.telegram_id, p.telegram_id),
         format('%s paying referrals; rows: %s', r.paying_count, p.times)
  from referral.referrer r
  full join (select y.telegram_id, count(*) as times from referral.paying y
             group by y.telegram_id) p on p.telegram_id = r.telegram_id
  where r.paying_count is distinct from coalesce(p.times, 0)
  union all
  select 'paying_has_paid', 'telegram_id:' || coalesce(p.referred_id, r.referred_id),
         format('counted by %s, rewarded by %s', p.telegram_id, r.telegram_id)
  from referral.paying p
  full join (select distinct w.telegram_id, w.referred_id from referral.reward w
             where w.status <> 'void') r
    on r.telegram_id = p.telegram_id and r.referred_id = p.referred_id
  where p.referred_id is null or r.referred_id is null
  union all
  select 'earned_is_rewards', 'telegram_id:' || coalesce(r.telegram_id, w.telegram_id),
         format('earned %s; rewards: %s', r.earned_kopecks, w.kopecks)
  from referral.referrer r
  full join (select x.telegram_id, sum(x.reward_kopecks) as kopecks from referral.reward x
             where x.status = 'paid' group by x.telegram_id) w on w.telegram_id = r.telegram_id
  where r.earned_kopecks is distinct from coalesce(w.kopecks, 0)
$$;

comment on function ops._reconcile_referrals is
  'Checks reward_is_booked (hence no claw-back above the reward), one_reward_per_purchase, '
  'reward_is_for_its_purchase (by the referrer of the buyer, who is never the buyer), '
  'reward_is_its_percent, purchase_is_rewarded (or its task waits), paying_is_counted, '
  'paying_has_paid, earned_is_rewards.';
