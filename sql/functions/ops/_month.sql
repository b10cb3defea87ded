-- The money of some days of one month.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._month(p_from date, p_to date)
returns table (
  revenue_kopecks bigint, refunded_kopecks bigint, net_kopecks bigint, payers bigint,
  per_payer_kopecks bigint)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
  return query
  select r.revenue, r.refunded, r.revenue - r.refunded, r.payers,
         case when r.payers > 0 then (r.revenue - r.refunded) / r.payers end
  from (
    select coalesce(sum(f.value) filter (where f.name ~ '^revenue_'), 0)::bigint as revenue,
           coalesce(sum(f.value) filter (where f.name in ('refunded', 'reversed')), 0)::bigint
             as refunded,
           coalesce(sum(f.value) filter (where f.name = 'payers_of_month'), 0)::bigint as payers
    from ops.day_figure f
    where f.day between p_from and p_to) r;
end
$$;

comment on function ops._month is
  'Takings of purchases, what was given or taken back, and how many paid. From the first of a '
  'month: payers are counted once a month.';
