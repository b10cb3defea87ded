-- Closes the overdue open purchases of users whose locks the caller holds.
-- Locks: the uses of their promo codes.
-- Raises: nothing.
create or replace function billing._expire(p_users bigint[], p_now timestamptz)
returns int
language sql
volatile
as $$
  with due as (
    update billing.purchase u
    set status = case u.status when 'open' then 'expired' else u.status end,
        closed_at = coalesce(u.closed_at, p_now),
        expiry_check_at = null
    where u.telegram_id = any (p_users) and u.expiry_check_at <= p_now
    returning u.telegram_id, u.purchase_id, u.promo_id, u.status = 'expired' as is_expired
  ), released as (
    delete from promo.use p
    using due d
    where d.is_expired and p.telegram_id = d.telegram_id and p.promo_id = d.promo_id
      and p.purchase_id = d.purchase_id
  )
  select count(*) filter (where d.is_expired)::int from due d
$$;

comment on function billing._expire is
  'Looks at purchases once after their end: open ones expire and give the use of their promo code '
  'back, the others are left as they are.';
