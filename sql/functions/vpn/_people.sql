-- How many subscriptions are in force.
-- Locks: none.
-- Raises: nothing.
create or replace function vpn._people(p_now timestamptz)
returns table (people bigint, is_estimate boolean)
language plpgsql
stable
as $$
#variable_conflict use_column
declare
  c_enough constant real := 20000::real; -- rows to look at: an error of about one in a hundred
  v_rows real;
begin
  select c.reltuples into v_rows
  from pg_class c
  where c.oid = 'subscription.subscription'::regclass;
  if v_rows <= c_enough then -- or nobody knows yet how large the table is: it is new
    return query
    select count(*), false from subscription.subscription s where s.expires_at > p_now;
    return;
  end if;

  return query
  select (v_rows * coalesce(avg((s.expires_at > p_now)::int), 0))::bigint, true
  from subscription.subscription s tablesample system (100 * c_enough / v_rows);
end
$$;

comment on function vpn._people is
  'Counted while there are few; else estimated from some 20 000 of them, so that it costs the same '
  'however many there are.';
