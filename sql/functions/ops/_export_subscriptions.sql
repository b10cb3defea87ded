-- The next rows of the subscriptions in force.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._export_subscriptions(
  p_after_id bigint, p_at timestamptz, p_limit int)
returns table (reached_id bigint, reached_version bigint, cells text[])
language sql
stable
as $$
  select s.telegram_id::bigint, 0::bigint,
         case when s.expires_at > p_at then array[
           s.telegram_id::text, coalesce(a.username, ''), s.tariff, s.period::text,
           ops._export_time(s.started_at), ops._export_time(s.expires_at), s.auto_renew::text,
           s.activation::text] end
  from subscription.subscription s
  left join account.account a on a.telegram_id = s.telegram_id and a.telegram_id > p_after_id
  where s.telegram_id > p_after_id
  order by s.telegram_id
  limit p_limit
$$;

comment on function ops._export_subscriptions is
  'Looks at up to p_limit subscriptions by user. cells is null where it was over at p_at.';
