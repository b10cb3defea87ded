-- How fast keys come, how often users renew, how many withdrawals are approved.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function ops.metrics(p_admin_id bigint)
returns table (
  computed_at timestamptz, keys_today bigint, median_today_ms bigint, p95_today_ms bigint,
  keys_yesterday bigint, median_yesterday_ms bigint, p95_yesterday_ms bigint, sales bigint,
  buyers bigint, renewals_per_hundred bigint, approved bigint, rejected bigint,
  approved_percent int)
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
         ops._figure('keys', v_day, v_day), ops._figure('key_median', v_day, v_day),
         ops._figure('key_p95', v_day, v_day), ops._figure('keys', v_day - 1, v_day - 1),
         ops._figure('key_median', v_day - 1, v_day - 1),
         ops._figure('key_p95', v_day - 1, v_day - 1), s.sales, s.buyers,
         case when s.buyers > 0 then 100 * (s.sales - s.buyers) / s.buyers end,
         s.approved, s.rejected,
         case when s.approved + s.rejected > 0
              then round(100.0 * s.approved / (s.approved + s.rejected))::int end
  from (select ops._figure('sales', null, v_day) as sales,
               ops._figure('payers_first', null, v_day) as buyers,
               ops._figure('withdrawals_approved', null, v_day) as approved,
               ops._figure('withdrawals_rejected', null, v_day) as rejected) s;
end
$$;

comment on function ops.metrics is
  'For admins only, as ops.figures_due has reckoned it (computed_at; null: not yet). Milliseconds '
  'from the promise of a key to its delivery, of the keys promised on the day. '
  'renewals_per_hundred: purchases after a buyer''s first, by hundred buyers. approved_percent: of '
  'the withdrawals that admins decided on. Days are UTC. Reads only.';

grant execute on function ops.metrics to atlas_admin, atlas_dba;
