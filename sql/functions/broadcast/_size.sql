-- How many people a segment has.
-- Locks: none.
-- Raises: nothing.
create or replace function broadcast._size(p_segment broadcast.segment, p_now timestamptz)
returns table (people bigint, is_estimate boolean)
language plpgsql
stable
as $$
#variable_conflict use_column
declare
  c_enough constant real := 20000::real; -- accounts to look at: an error of about one in a hundred
  v_accounts real;
begin
  select c.reltuples into v_accounts from pg_class c where c.oid = 'account.account'::regclass;
  if v_accounts <= c_enough then -- or nobody knows yet how large the table is: it is new
    return query
    select count(*), false from broadcast._people(p_segment, 0, null, p_now) p;
    return;
  end if;

  return query
  select (v_accounts * coalesce(avg(
           (a.is_reachable and not a.is_blocked and coalesce(broadcast._is_meant(
             p_segment, s.expires_at,
             exists (
               select 1 from billing.purchase u
               where u.telegram_id = a.telegram_id and u.kind = 'subscription'
                 and u.status in ('paid', 'refunded')),
             p_now), false))::int), 0))::bigint,
         true
  from account.account a tablesample system (100 * c_enough / v_accounts)
  left join subscription.subscription s on s.telegram_id = a.telegram_id;
end
$$;

comment on function broadcast._size is
  'Counted while there are few accounts; else estimated from some 20 000 of them, so that it '
  'costs the same however many there are.';
