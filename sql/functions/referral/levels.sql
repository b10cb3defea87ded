-- How many referrers each level has, and what they have brought and got.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function referral.levels(p_admin_id bigint)
returns table (
  level text, from_paying int, percent int, referrers bigint, paying bigint,
  earned_kopecks bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  with ladder as (
    select l.level, l.from_paying, l.percent,
           lead(l.from_paying) over (order by l.from_paying) as up_to
    from referral.level l
  )
  select l.level, min(l.from_paying), min(l.percent)::int, count(r.telegram_id),
         coalesce(sum(r.paying_count), 0)::bigint, coalesce(sum(r.earned_kopecks), 0)::bigint
  from ladder l
  left join referral.referrer r
    on r.paying_count >= l.from_paying and (l.up_to is null or r.paying_count < l.up_to)
  group by grouping sets ((l.level), ())
  order by grouping(l.level), min(l.from_paying);
end
$$;

comment on function referral.levels is
  'For admins only: one row per level, and a last one with a null level for all together. Only who '
  'has a referral that paid is a referrer here, so that it reads that table alone. earned_kopecks '
  'is cashback paid, less what was clawed back. Reads only.';

grant execute on function referral.levels to atlas_admin, atlas_dba;
