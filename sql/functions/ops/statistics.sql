-- How many users and subscriptions there are, as the job has counted them last.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function ops.statistics(p_admin_id bigint)
returns table (
  computed_at timestamptz, users bigint, new_today bigint, new_7_days bigint, new_30_days bigint,
  active bigint, trials bigint, expired bigint, blocked bigint, unreachable bigint,
  tariffs jsonb)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_day date;
begin
  perform account._only_admins(p_admin_id);
  select max(f.day) into v_day from ops.day_figure f where f.name = 'now_users';

  return query
  select (select f.computed_at from ops.day_figure f where f.name = 'now_users' and f.day = v_day),
         ops._figure('now_users', v_day, v_day), ops._figure('users_new', v_day, v_day),
         ops._figure('users_new', v_day - 6, v_day), ops._figure('users_new', v_day - 29, v_day),
         ops._figure('now_active', v_day, v_day), ops._figure('now_trials', v_day, v_day),
         ops._figure('now_expired', v_day, v_day), ops._figure('now_blocked', v_day, v_day),
         ops._figure('now_unreachable', v_day, v_day),
         (select coalesce(jsonb_object_agg(x.tariff, x.value), '{}')
          from (select t.tariff, ops._figure('now_tariff_' || t.tariff, v_day, v_day) as value
                from billing.tariff t) x);
end
$$;

comment on function ops.statistics is
  'For admins only. computed_at: when it was counted (ops.figures_due); null: not yet. Days are '
  'UTC; 7 and 30 days with today. active and tariffs: without trials. Reads only.';

grant execute on function ops.statistics to atlas_admin, atlas_dba;
