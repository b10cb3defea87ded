-- About how many rows an export has.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._export_size(
  p_kind ops.export_kind, p_batch_id bigint, p_now timestamptz)
returns bigint
language plpgsql
stable
as $$
declare
  c_enough constant real := 20000::real; -- up to so many rows are counted
  v_rows real;
begin
  if p_kind = 'promo_batch' then
    return (select count(*) from promo.code c where c.batch_id = p_batch_id);
  elsif p_kind = 'subscriptions' then
    return (select p.people from vpn._people(p_now) p);
  end if;

  select c.reltuples into v_rows
  from pg_class c
  where c.oid = case p_kind when 'users' then 'account.account'::regclass
                            else 'ledger.transfer'::regclass end;
  if v_rows > c_enough then
    return v_rows::bigint;
  elsif p_kind = 'users' then
    return (select count(*) from account.account a);
  end if;
  return (select count(*) from ledger.transfer t);
end
$$;

comment on function ops._export_size is
  'Counted while there are few; else estimated, so that it costs the same however many there are.';
