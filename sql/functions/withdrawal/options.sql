-- What the withdrawal dialogue has to know before it asks.
-- Locks: none.
-- Raises: nothing.
create or replace function withdrawal.options()
returns table (minimum_kopecks bigint, per_day bigint, four_eyes_kopecks bigint)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select ops._setting_value('withdrawal_minimum_kopecks'),
         ops._setting_value('withdrawals_per_day'),
         ops._setting_value('withdrawal_four_eyes_kopecks')
$$;

comment on function withdrawal.options is
  'The smallest withdrawal, how many requests in 24 hours, and from what amount two admins have to'
  ' approve. Reads only.';

grant execute on function withdrawal.options to atlas_bot, atlas_admin, atlas_dba;
