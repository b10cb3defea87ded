-- The switches, and who moved each last.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function ops.list_features(p_admin_id bigint)
returns table (
  name text, is_on boolean, changed_at timestamptz, changed_by bigint, changed_by_username text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select f.name, f.is_on, c.occurred_at, c.actor_id, a.username
  from ops.feature f
  left join lateral (
    select e.occurred_at, e.actor_id
    from audit.entry e
    where e.subject_id = f.name and e.action = 'ops.set_feature'
    order by e.occurred_at desc
    limit 1) c on true
  left join account.account a on a.telegram_id = c.actor_id
  order by f.name;
end
$$;

comment on function ops.list_features is
  'For admins only, and while admin_actions is off, too. changed_at is null for a switch that '
  'nobody has moved yet. Reads only.';

grant execute on function ops.list_features to atlas_admin, atlas_dba;
