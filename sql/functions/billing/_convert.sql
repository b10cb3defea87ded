-- What remaining time of one tariff is worth in another: less when moving up, else the same.
-- Locks: none.
-- Raises: nothing.
create or replace function billing._convert(p_remaining interval, p_from text, p_to text)
returns interval
language plpgsql
stable
as $$
declare
  v_ratio numeric;
begin
  select old_price.list_kopecks::numeric / new_price.list_kopecks into v_ratio
  from billing.tariff old_tariff
  join billing.tariff new_tariff on new_tariff.tariff = p_to and new_tariff.rank > old_tariff.rank
  join billing.tariff_price old_price on old_price.tariff = p_from and old_price.months = 1
  join billing.tariff_price new_price on new_price.tariff = p_to and new_price.months = 1
  where old_tariff.tariff = p_from;
  if not found then
    return p_remaining;
  end if;

  return make_interval(secs => floor(extract(epoch from p_remaining) * v_ratio)::float8);
end
$$;

comment on function billing._convert is
  'Moving up converts by the one-month list prices, rounded down to a second; moving down keeps '
  'the time.';
