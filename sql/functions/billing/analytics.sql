-- Revenue, this month against the one before, and what a user is worth.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function billing.analytics(p_admin_id bigint)
returns table (
  computed_at timestamptz, month date, revenue_kopecks bigint, refunded_kopecks bigint,
  net_kopecks bigint, payers bigint, arppu_kopecks bigint, arpu_kopecks bigint, ways jsonb,
  before_revenue_kopecks bigint, before_net_kopecks bigint, before_payers bigint,
  before_arppu_kopecks bigint, change_percent int, payers_ever bigint, net_ever_kopecks bigint,
  ltv_kopecks bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_day date;
  v_first date;
  v_users bigint;
  v_payers_ever bigint;
  v_net_ever bigint;
begin
  perform account._only_admins(p_admin_id);
  select max(f.day) into v_day from ops.day_figure f where f.name = 'now_users';
  v_first := date_trunc('month', v_day::timestamp)::date;
  v_users := ops._figure('now_users', v_day, v_day);
  v_payers_ever := ops._figure('payers_first', null, v_day);
  select coalesce(sum(case when f.name ~ '^revenue_' then f.value else -f.value end), 0)::bigint
  into v_net_ever
  from ops.day_figure f
  where f.name ~ '^revenue_' or f.name in ('refunded', 'reversed');

  return query
  select (select f.computed_at from ops.day_figure f where f.name = 'now_users' and f.day = v_day),
         v_first, n.revenue_kopecks, n.refunded_kopecks, n.net_kopecks, n.payers,
         n.per_payer_kopecks, case when v_users > 0 then n.net_kopecks / v_users end, w.ways,
         b.revenue_kopecks, b.net_kopecks, b.payers, b.per_payer_kopecks,
         case when b.net_kopecks > 0
              then round(100.0 * (n.net_kopecks - b.net_kopecks) / b.net_kopecks)::int end,
         v_payers_ever, v_net_ever,
         case when v_payers_ever > 0 then v_net_ever / v_payers_ever end
  from ops._month(v_first, v_day) n
  cross join ops._month(
    (v_first - interval '1 month')::date,
    least((v_day - interval '1 month')::date, v_first - 1)) b
  cross join lateral (
    select coalesce(jsonb_object_agg(x.way, x.value), '{}') as ways
    from (select substr(f.name, 9) as way, sum(f.value) as value
          from ops.day_figure f
          where f.name ~ '^revenue_' and f.day between v_first and v_day
          group by f.name) x) w;
end
$$;

comment on function billing.analytics is
  'For admins only, as ops.figures_due has reckoned it (computed_at; null: not yet). revenue: what '
  'purchases and renewals took in, by way (balance: money that came before); refunded: given or '
  'taken back; net: their difference. before_…: the month before, to the same day. arppu: net by '
  'paying user, arpu: by user, ltv: net ever by everybody who has ever paid. change_percent: of '
  'net. Months and days are UTC. Reads only.';

grant execute on function billing.analytics to atlas_admin, atlas_dba;
