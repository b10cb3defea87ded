-- Sets the user's language, as the user chose it.
-- Locks: user.
-- Raises: US001, 22023, OP001.
create or replace function account.set_language(p_telegram_id bigint, p_language text)
returns table (telegram_id bigint)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_language in ('ru', 'en'), 'p_language: ru or en');
  perform account._lock(p_telegram_id);

  update account.account a
  set language = p_language, is_language_chosen = true
  where a.telegram_id = p_telegram_id
    and (a.language <> p_language or not a.is_language_chosen);

  return query select p_telegram_id;
end
$$;

comment on function account.set_language is
  'Sets the language (ru, en). From then on it is not asked again. Safe to call again.';

grant execute on function account.set_language to atlas_bot, atlas_dba;
