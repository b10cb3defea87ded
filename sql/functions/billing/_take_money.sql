-- Takes money back from a user: what is available, and the rest as debt.
-- Locks: wallet; the caller holds the user's lock.
-- Raises: nothing.
create or replace function billing._take_money(
  p_telegram_id bigint, p_to ledger.account, p_amount_kopecks bigint, p_purchase_id uuid,
  p_payment_id bigint, p_now timestamptz)
returns bigint
language plpgsql
volatile
as $$
declare
  v_there_kopecks bigint;
begin
  select least(w.available_kopecks, p_amount_kopecks) into strict v_there_kopecks
  from wallet.wallet w where w.telegram_id = p_telegram_id;

  if v_there_kopecks > 0 then
    perform ledger._post(
      p_telegram_id, 'reversal', 'available', p_to, v_there_kopecks, p_now,
      p_purchase_id => p_purchase_id, p_payment_id => p_payment_id);
  end if;
  if p_amount_kopecks > v_there_kopecks then
    perform ledger._post(
      p_telegram_id, 'reversal', 'debt', p_to, p_amount_kopecks - v_there_kopecks, p_now,
      p_purchase_id => p_purchase_id, p_payment_id => p_payment_id);
  end if;
  return p_amount_kopecks - v_there_kopecks;
end
$$;

comment on function billing._take_money is 'How much of it became debt.';
