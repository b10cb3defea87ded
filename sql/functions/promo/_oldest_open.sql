-- Finds the reservation of a code that its user would give up first; null for none.
-- Locks: none.
-- Raises: nothing.
create or replace function promo._oldest_open(p_telegram_id bigint, p_promo_id bigint)
returns uuid
language plpgsql
stable
as $$
declare
  v_purchase_id uuid;
begin
  select b.purchase_id into v_purchase_id
  from promo.use u
  join billing.purchase b on b.telegram_id = u.telegram_id and b.purchase_id = u.purchase_id
  where u.telegram_id = p_telegram_id and u.promo_id = p_promo_id and b.status = 'open'
  order by b.opened_at, b.purchase_id
  limit 1;
  return v_purchase_id;
end
$$;

comment on function promo._oldest_open is
  'The purchase, open and not yet paid, with which a user has held a use of the code for longest.';
