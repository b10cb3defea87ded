-- Moves a user's reservation from one open purchase, which is cancelled, to another purchase.
-- Locks: the use and the purchase; the caller holds the user's lock.
-- Raises: nothing.
create or replace function promo._take_over(
  p_telegram_id bigint, p_from_purchase_id uuid, p_to_purchase_id uuid, p_promo_id bigint,
  p_now timestamptz)
returns text
language plpgsql
volatile
as $$
begin
  if p_from_purchase_id is null then
    return 'PR005';
  end if;

  update promo.use u
  set purchase_id = p_to_purchase_id, reserved_at = p_now
  where u.telegram_id = p_telegram_id and u.promo_id = p_promo_id
    and u.purchase_id = p_from_purchase_id;

  update billing.purchase b
  set status = 'cancelled', closed_at = p_now
  where b.telegram_id = p_telegram_id and b.purchase_id = p_from_purchase_id;
  return null;
end
$$;

comment on function promo._take_over is
  'Nobody stands in their own way: an unpaid purchase makes room for the next one. Null, or PR005 '
  'where there is none to give up.';
