-- How many people were invited, and what cashback waits to be paid.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function referral.overview(p_admin_id bigint)
returns table (invited bigint, owed_rewards bigint, owed_kopecks bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select (select count(*) from account.account a where a.referrer_id is not null),
         count(*), coalesce(sum(w.amount_kopecks * l.percent / 100), 0)::bigint
  from (select t.telegram_id, t.amount_kopecks
        from outbox.task t
        where t.kind = 'cashback' and t.name = 'reward' and t.finished_at is null
        order by t.due_at
        limit 10000) w
  left join referral.referrer r on r.telegram_id = w.telegram_id
  cross join lateral (
    select n.percent
    from referral.level n
    where n.from_paying <= coalesce(r.paying_count, 0)
    order by n.from_paying desc
    limit 1) l;
end
$$;

comment on function referral.overview is
  'For admins only. owed: promised and not worked off yet, the oldest 10 000, at the levels that '
  'the referrers have now. What was paid is in referral.levels. invited is read from the index '
  'account_referrer. Reads only.';

grant execute on function referral.overview to atlas_admin, atlas_dba;
