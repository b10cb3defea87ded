-- Takes a use again for a purchase that is paid after it expired or was cancelled.
-- Locks: promo.use (row exclusive), the number taken; the caller holds the user's lock.
-- Raises: nothing.
create or replace function promo._retake(
  p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamptz)
returns boolean
language plpgsql
volatile
as $$
begin
  if p_promo_id is null then
    return true;
  end if;

  lock table promo.use in row exclusive mode; -- as in billing._open
  return promo._take(p_telegram_id, p_purchase_id, p_promo_id, p_now) is null;
end
$$;

comment on function promo._retake is
  'False when no use is left: the money then goes to the balance. Only max_uses and per_user_limit '
  'count, not expiry or disabling. As at opening, the user''s own oldest open purchase with the '
  'code makes room. Comes before the wallet. True when there is no code.';
