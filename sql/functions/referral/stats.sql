-- What the loyalty screen shows a referrer.
-- Locks: none.
-- Raises: US001, 22023.
create or replace function referral.stats(p_telegram_id bigint)
returns table (
  code text, invited bigint, paying bigint, level text, percent int, earned_kopecks bigint,
  next_level text, next_from_paying int, next_percent int)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);

  return query
  select a.referral_code,
         (select count(*) from account.account i where i.referrer_id = a.telegram_id),
         coalesce(r.paying_count, 0)::bigint, l.level, l.percent,
         coalesce(r.earned_kopecks, 0)::bigint, n.level, n.from_paying, n.percent
  from account.account a
  left join referral.referrer r on r.telegram_id = a.telegram_id
  cross join lateral referral._level_of(coalesce(r.paying_count, 0)) l
  cross join lateral referral._next_level(coalesce(r.paying_count, 0)) n
  where a.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

comment on function referral.stats is
  'Link code, users invited, those of them with a paid purchase that was processed, the level and '
  'percent that this gives now, the cashback received less what was clawed back, and the next '
  'level with how many paying ones it takes; nulls at the highest. Reads only.';

grant execute on function referral.stats to atlas_bot, atlas_admin, atlas_dba;
