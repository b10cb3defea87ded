-- Refuses a withdrawal that the user may not ask for now. The caller holds the user's lock.
-- Locks: none.
-- Raises: US002, WA001, WD003, WD004.
create or replace function withdrawal._require_may(
  p_telegram_id bigint, p_is_blocked boolean, p_amount_kopecks bigint, p_now timestamptz)
returns void
language plpgsql
stable
as $$
declare
  v_minimum_kopecks bigint := ops._setting_value('withdrawal_minimum_kopecks');
  v_per_day bigint := ops._setting_value('withdrawals_per_day');
  v_pending_id bigint;
  v_recent bigint;
  v_wallet record;
begin
  if p_is_blocked then
    perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
  elsif p_amount_kopecks < v_minimum_kopecks then
    perform core._refuse('WD003', format('%s kopecks, the minimum is %s', p_amount_kopecks,
                                         v_minimum_kopecks));
  end if;

  select w.withdrawal_id into v_pending_id
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id and w.status = 'pending';
  if found then
    perform core._refuse('WD004', format('withdrawal_id %s is pending (withdrawal_one_pending)',
                                         v_pending_id));
  end if;

  select count(*) into v_recent
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id and w.requested_at > p_now - interval '24 hours';
  if v_recent >= v_per_day then
    perform core._refuse('WD004', format('%s requests in 24 hours, at most %s', v_recent,
                                         v_per_day));
  end if;

  select w.available_kopecks, w.debt_kopecks into strict v_wallet
  from wallet.wallet w
  where w.telegram_id = p_telegram_id;
  if v_wallet.debt_kopecks > 0 then
    perform core._refuse('WA001', format('telegram_id %s: a debt of %s kopecks comes first',
                                         p_telegram_id, v_wallet.debt_kopecks));
  elsif v_wallet.available_kopecks < p_amount_kopecks then
    perform core._refuse('WA001', format('telegram_id %s needs %s kopecks, %s are available',
                                         p_telegram_id, p_amount_kopecks,
                                         v_wallet.available_kopecks));
  end if;
end
$$;

comment on function withdrawal._require_may is
  'Not blocked, not below the minimum, none pending, not too many in 24 hours, no debt, and money '
  'enough.';
