-- What the top-up screen offers.
-- Locks: none.
-- Raises: nothing.
create or replace function billing.topup_options()
returns table (minimum_kopecks bigint, maximum_kopecks bigint, presets_kopecks bigint[])
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select ops._setting_value('topup_minimum_kopecks'), ops._setting_value('topup_maximum_kopecks'),
         array(select p.amount_kopecks::bigint from billing.topup_preset p
               order by p.amount_kopecks)
$$;

comment on function billing.topup_options is
  'Smallest, largest and preset top-ups, in kopecks. Reads only.';

grant execute on function billing.topup_options to atlas_bot, atlas_admin, atlas_dba;
