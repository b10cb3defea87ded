-- What is sold, at list prices.
-- Locks: none.
-- Raises: nothing.
create or replace function billing.list_prices()
returns table (tariff text, months int, list_kopecks bigint, device_limit int, offer_id uuid)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select p.tariff, p.months::int, p.list_kopecks::bigint, t.device_limit::int, p.offer_id
  from billing.tariff_price p
  join billing.tariff t on t.tariff = p.tariff
  where t.is_on_sale
  order by t.rank, p.months
$$;

comment on function billing.list_prices is
  'Tariffs and periods on sale, before any discount; buttons carry offer_id. Reads only.';

grant execute on function billing.list_prices to atlas_bot, atlas_admin, atlas_auditor, atlas_dba;
