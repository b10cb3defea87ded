-- Closes the overdue open purchases of users whose locks the caller holds.
-- Locks: none.
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
    returning u.status = 'expired' as is_expired
  )
  select count(*) filter (where d.is_expired)::int from due d
$$;

comment on function billing._expire is
  'Looks at purchases once after their end: open ones expire, the others are left as they are.';
