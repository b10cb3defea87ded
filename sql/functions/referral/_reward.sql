-- Pays the cashback for one purchase of a referred user. The caller holds the referrer's lock.
-- Locks: wallet.
-- Raises: nothing.
create or replace function referral._reward(
  p_telegram_id bigint, p_purchase_id uuid, p_referred_id bigint, p_paid_kopecks bigint,
  p_now timestamptz)
returns bigint
language plpgsql
volatile
as $$
#variable_conflict use_column
declare
  v_paying_count int;
  v_percent int;
  v_reward_kopecks bigint;
  v_to_debt_kopecks bigint;
begin
  insert into referral.paying (telegram_id, referred_id, since)
  values (p_telegram_id, p_referred_id, p_now)
  on conflict on constraint paying_pkey do nothing;

  insert into referral.referrer as r (telegram_id, paying_count, earned_kopecks)
  values (p_telegram_id, found::int, 0)
  on conflict on constraint referrer_pkey do update
  set paying_count = r.paying_count + excluded.paying_count
  returning r.paying_count into v_paying_count;

  v_percent := (referral._level_of(v_paying_count)).percent;
  v_reward_kopecks := p_paid_kopecks * v_percent / 100; -- rounds down

  insert into referral.reward (
    telegram_id, purchase_id, referred_id, status, paid_kopecks, percent, reward_kopecks,
    rewarded_at)
  values (p_telegram_id, p_purchase_id, p_referred_id, 'paid', p_paid_kopecks, v_percent,
          v_reward_kopecks, p_now);
  if v_reward_kopecks = 0 then
    return 0;
  end if;

  select least(w.debt_kopecks, v_reward_kopecks) into strict v_to_debt_kopecks
  from wallet.wallet w
  where w.telegram_id = p_telegram_id;
  if v_to_debt_kopecks > 0 then
    perform ledger._post(p_telegram_id, 'cashback', 'cashback', 'debt', v_to_debt_kopecks, p_now,
                         p_purchase_id => p_purchase_id);
  end if;
  if v_reward_kopecks > v_to_debt_kopecks then
    perform ledger._post(p_telegram_id, 'cashback', 'cashback', 'available',
                         v_reward_kopecks - v_to_debt_kopecks, p_now,
                         p_purchase_id => p_purchase_id);
  end if;

  update referral.referrer r
  set earned_kopecks = r.earned_kopecks + v_reward_kopecks
  where r.telegram_id = p_telegram_id;
  insert into outbox.task (telegram_id, kind, name, due_at, created_at, amount_kopecks)
  values (p_telegram_id, 'message', 'cashback', p_now, p_now, v_reward_kopecks);
  return v_reward_kopecks;
end
$$;

comment on function referral._reward is
  'Counts the buyer once, takes the percent of the level that this gives, repays debt first. A '
  'reward that rounds down to nothing counts and pays nothing.';
