-- What the screens need to know of a user.
-- Locks: none.
-- Raises: US001, 22023.
create or replace function account.profile(p_telegram_id bigint)
returns table (
  telegram_id bigint, language text, is_language_chosen boolean, is_admin boolean,
  is_blocked boolean, is_reachable boolean, referral_code text, referrer_id bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);

  return query
  select a.telegram_id::bigint, a.language, a.is_language_chosen,
         exists (select 1 from account.admin m
                 where m.telegram_id = a.telegram_id and m.is_active),
         a.is_blocked, a.is_reachable, a.referral_code, a.referrer_id::bigint
  from account.account a
  where a.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

comment on function account.profile is 'Language, rights and referral code of a user. Reads only.';

grant execute on function account.profile to atlas_bot, atlas_worker, atlas_admin, atlas_dba;
