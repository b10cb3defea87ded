-- Counts a user's uses of a code, and finds the reservation that the user would give up first.
-- Locks: none.
-- Raises: nothing.
create or replace function promo._my_uses(
  p_telegram_id bigint, p_promo_id bigint, out uses bigint, out oldest_open uuid)
language plpgsql
stable
as $$
begin
  select count(*), (array_agg(b.purchase_id order by b.opened_at, b.purchase_id)
                    filter (where b.status = 'open'))[1]
  into _my_uses.uses, _my_uses.oldest_open
  from promo.use u
  join billing.purchase b on b.telegram_id = u.telegram_id and b.purchase_id = u.purchase_id
  where u.telegram_id = p_telegram_id and u.promo_id = p_promo_id;
end
$$;

comment on function promo._my_uses is
  'A user''s uses, reserved and consumed together, and the oldest open purchase among them.';
