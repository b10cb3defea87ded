-- The referrers with the most paying referrals.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function referral.top(p_admin_id bigint, p_after bigint, p_limit int)
returns table (
  telegram_id bigint, username text, paying bigint, level text, percent int,
  earned_kopecks bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_paying_count int := 2147483647;
  v_telegram_id bigint := 9223372036854775807;
begin
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);
  if p_after is not null then
    select r.paying_count, r.telegram_id into v_paying_count, v_telegram_id
    from referral.referrer r
    where r.telegram_id = p_after;
  end if;

  return query
  select r.telegram_id::bigint, a.username, r.paying_count::bigint, l.level, l.percent,
         r.earned_kopecks::bigint
  from (select t.telegram_id, t.paying_count, t.earned_kopecks
        from referral.referrer t
        where (t.paying_count, t.telegram_id::bigint) < (v_paying_count, v_telegram_id)
        order by t.paying_count desc, t.telegram_id desc
        limit p_limit) r
  join account.account a on a.telegram_id = r.telegram_id
  cross join lateral referral._level_of(r.paying_count) l
  order by r.paying_count desc, r.telegram_id desc;
end
$$;

comment on function referral.top is
  'For admins only, a page at a time from the index referrer_by_paying; p_after is the last '
  'page''s last telegram_id. Reads only.';

grant execute on function referral.top to atlas_admin, atlas_dba;
