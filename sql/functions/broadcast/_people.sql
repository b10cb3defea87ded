-- Lists who is in a segment, beyond an id, in the order of ids.
-- Locks: none.
-- Raises: nothing.
create or replace function broadcast._people(
  p_segment broadcast.segment, p_beyond bigint, p_limit int, p_now timestamptz)
returns table (telegram_id bigint)
language sql
stable
as $$
  select a.telegram_id::bigint
  from account.account a
  left join subscription.subscription s on s.telegram_id = a.telegram_id
  where a.telegram_id > p_beyond and a.is_reachable and not a.is_blocked
    and broadcast._is_meant(
      p_segment, s.expires_at,
      exists (
        select 1 from billing.purchase u
        where u.telegram_id = a.telegram_id and u.kind = 'subscription'
          and u.status in ('paid', 'refunded')),
      p_now)
  order by a.telegram_id
  limit p_limit
$$;

comment on function broadcast._people is
  'Neither who is blocked nor who has blocked the bot. p_limit null: all.';
