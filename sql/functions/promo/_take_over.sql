-- Moves a user's oldest reservation of a code to another purchase and cancels its own.
-- Locks: the use and the purchase; the caller holds the user's lock.
-- Raises: nothing.
create or replace function promo._take_over(
  p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamptz)
returns text
language plpgsql
volatile
as $$
declare
  v_oldest_open uuid := promo._oldest_open(p_telegram_id, p_promo_id);
begin
  if v_oldest_open is null then
    return 'PR005';
  end if;

  update promo.use u
  set purchase_id = p_purchase_id, reserved_at = p_now
  where u.telegram_id = p_telegram_id and u.promo_id = p_promo_id
    and u.purchase_id = v_oldest_open;

  update billing.purchase b
  set status = 'cancelled', closed_at = p_now
  where b.telegram_id = p_telegram_id and b.purchase_id = v_oldest_open;
  return null;
end
$$;

comment on function promo._take_over is
  'Nobody stands in their own way: an unpaid purchase makes room for the next one. Null, or PR005 '
  'where all uses are consumed.';
