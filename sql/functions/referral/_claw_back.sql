-- Takes the cashback for one purchase back. The caller holds the referrer's lock.
-- Locks: wallet.
-- Raises: nothing.
create or replace function referral._claw_back(
  p_telegram_id bigint, p_purchase_id uuid, p_now timestamptz)
returns boolean
language plpgsql
volatile
as $$
#variable_conflict use_column
declare
  v_reward_kopecks bigint;
  v_there_kopecks bigint;
begin
  update referral.reward r
  set status = 'clawed_back', clawed_back_at = p_now
  where r.telegram_id = p_telegram_id and r.purchase_id = p_purchase_id and r.status = 'paid'
  returning r.reward_kopecks into v_reward_kopecks;
  if not found then
    return false;
  elsif v_reward_kopecks = 0 then
    return true;
  end if;

  select least(w.available_kopecks, v_reward_kopecks) into strict v_there_kopecks
  from wallet.wallet w
  where w.telegram_id = p_telegram_id;
  if v_there_kopecks > 0 then
    perform ledger._post(p_telegram_id, 'clawback', 'available', 'cashback', v_there_kopecks,
                         p_now, p_purchase_id => p_purchase_id);
  end if;
  if v_reward_kopecks > v_there_kopecks then
    perform ledger._post(p_telegram_id, 'clawback', 'debt', 'cashback',
                         v_reward_kopecks - v_there_kopecks, p_now,
                         p_purchase_id => p_purchase_id);
  end if;

  update referral.referrer r
  set earned_kopecks = r.earned_kopecks - v_reward_kopecks
  where r.telegram_id = p_telegram_id;
  insert into outbox.task (telegram_id, kind, name, due_at, created_at, amount_kopecks)
  values (p_telegram_id, 'message', 'cashback_clawed_back', p_now, p_now, v_reward_kopecks);
  return true;
end
$$;

comment on function referral._claw_back is
  'Takes what is available, the rest becomes debt. False where there is no reward to take back. '
  'The buyer stays counted.';
