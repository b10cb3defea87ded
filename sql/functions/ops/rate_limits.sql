-- Lists what a person may do only so often.
-- Locks: none.
-- Raises: nothing.
create or replace function ops.rate_limits()
returns table (action text, attempts bigint, per_seconds int)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select l.action, s.value, l.per_seconds
  from ops.rate_limit l
  join ops.setting s on s.name = l.setting_name
  order by l.action
$$;

comment on function ops.rate_limits is
  'So many attempts in so many seconds, all of which may come at once. ops.set_setting changes the'
  ' figures.';

grant execute on function ops.rate_limits to atlas_bot, atlas_dba;
