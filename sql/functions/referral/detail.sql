-- Everything about one person as a referrer.
-- Locks: none.
-- Raises: US001, US003, 22023.
create or replace function referral.detail(p_admin_id bigint, p_telegram_id bigint)
returns table (
  telegram_id bigint, username text, code text, registered_at timestamptz, referrer_id bigint,
  referrer_username text, invited bigint, paying bigint, level text, percent int,
  earned_kopecks bigint, clawed_back_kopecks bigint, owed_rewards bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);
  perform account._only_admins(p_admin_id);

  return query
  select a.telegram_id::bigint, a.username, a.referral_code, a.registered_at,
         a.referrer_id::bigint, b.username,
         (select count(*) from account.account i where i.referrer_id = a.telegram_id),
         coalesce(r.paying_count, 0)::bigint, l.level, l.percent,
         coalesce(r.earned_kopecks, 0)::bigint,
         (select coalesce(sum(w.reward_kopecks), 0)::bigint from referral.reward w
          where w.telegram_id = a.telegram_id and w.status = 'clawed_back'),
         (select count(*) from outbox.task t
          where t.telegram_id = a.telegram_id and t.kind = 'cashback' and t.finished_at is null
            and t.name = 'reward')
  from account.account a
  left join account.account b on b.telegram_id = a.referrer_id
  left join referral.referrer r on r.telegram_id = a.telegram_id
  cross join lateral referral._level_of(coalesce(r.paying_count, 0)) l
  where a.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

comment on function referral.detail is
  'For admins only: who invited this user, whom the user invited, level, cashback received less '
  'what was clawed back, and how many rewards wait. All from indexes, in the size of what this one '
  'user has. Reads only.';

grant execute on function referral.detail to atlas_admin, atlas_dba;
