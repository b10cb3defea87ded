-- Lets identified money buy its purchase, or puts it on the payer's balance.
-- Locks: promo.use (row exclusive) for a late purchase with a code, wallet, subscription; the
--   caller holds the payer's lock.
-- Raises: nothing.
create or replace function billing._apply_payment(
  p_telegram_id bigint, p_owner_id bigint, p_is_blocked boolean, p_purchase_id uuid,
  p_payment_id bigint, p_provider text, p_worth_kopecks bigint, p_now timestamptz)
returns void
language plpgsql
volatile
as $$
declare
  v_tolerance_kopecks bigint := ops._setting_value('payment_tolerance_kopecks');
  v_purchase record;
  v_why text;
  v_revenue_kopecks bigint := 0;
  v_available_kopecks bigint;
  v_expires_at timestamptz;
begin
  select u.kind, u.status, u.tariff, u.months, u.price_kopecks, u.promo_id into v_purchase
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;

  v_why := case
    when p_telegram_id <> p_owner_id then 'other_payer'
    when p_is_blocked then 'blocked'
    when v_purchase.status not in ('open', 'expired', 'cancelled') then 'already_paid'
    when v_purchase.kind = 'topup' then 'topup'
    when p_worth_kopecks < v_purchase.price_kopecks - v_tolerance_kopecks
      then 'underpaid'
  end;
  if v_why is null and v_purchase.promo_id is not null and v_purchase.status <> 'open'
     and not promo._retake(p_telegram_id, p_purchase_id, v_purchase.promo_id, p_now) then
    v_why := 'promo_used_up'; -- its use went back when it expired, and others took the last
  end if;

  if v_why is null then
    v_revenue_kopecks := least(p_worth_kopecks, v_purchase.price_kopecks);
  end if;
  v_available_kopecks := billing._book_payment(
    p_telegram_id, p_purchase_id, p_payment_id, v_revenue_kopecks,
    p_worth_kopecks - v_revenue_kopecks, v_why, p_now);

  if v_why is null then
    v_expires_at := billing._fulfil(
      p_telegram_id, p_purchase_id, v_purchase.tariff, v_purchase.months,
      v_purchase.price_kopecks, p_provider, p_payment_id, v_available_kopecks, p_now);
  elsif v_why = 'topup' then
    update billing.purchase u
    set status = 'paid', closed_at = p_now, paid_with = p_provider, payment_id = p_payment_id,
        available_after_kopecks = v_available_kopecks
    where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  end if;

  update billing.payment p
  set outcome = case when coalesce(v_why, 'topup') = 'topup' then 'applied' else 'credited' end
                  ::billing.payment_outcome,
      credited_kopecks = p_worth_kopecks - v_revenue_kopecks,
      subscription_expires_at = v_expires_at
  where p.telegram_id = p_telegram_id and p.payment_id = p_payment_id;
end
$$;

comment on function billing._apply_payment is
  'A purchase that is open, expired or cancelled is honoured at its recorded price, a late one with'
  ' a promo code while the code has a use left; everything else goes to the payer''s balance.';
