-- The next rows of all users.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._export_users(
  p_after_id bigint, p_until timestamptz, p_limit int)
returns table (reached_id bigint, reached_version bigint, cells text[])
language sql
stable
as $$
  select a.telegram_id::bigint, 0::bigint,
         case when a.registered_at <= p_until then array[
           a.telegram_id::text, coalesce(a.username, ''), a.language,
           ops._export_time(a.registered_at), a.is_reachable::text, a.is_blocked::text,
           ops._export_time(a.blocked_at), coalesce(a.blocked_reason, ''), a.is_vip::text,
           coalesce(a.discount_percent::text, ''), ops._export_time(a.discount_expires_at),
           coalesce(a.referrer_id::text, ''), coalesce(w.available_kopecks, 0)::text,
           coalesce(w.held_kopecks, 0)::text, coalesce(w.debt_kopecks, 0)::text,
           coalesce(s.tariff, ''), ops._export_time(s.expires_at)] end
  from account.account a
  left join wallet.wallet w on w.telegram_id = a.telegram_id and w.telegram_id > p_after_id
  left join subscription.subscription s
    on s.telegram_id = a.telegram_id and s.telegram_id > p_after_id
  where a.telegram_id > p_after_id
  order by a.telegram_id
  limit p_limit
$$;

comment on function ops._export_users is
  'Up to p_limit users by id. cells is null for who registered after p_until.';
