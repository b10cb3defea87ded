-- Notes whether messages reach the user.
-- Locks: user.
-- Raises: US001, 22023, OP001.
create or replace function account.set_reachable(p_telegram_id bigint, p_is_reachable boolean)
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
  perform core._require(p_is_reachable is not null, 'p_is_reachable: true or false');
  perform account._lock(p_telegram_id);

  update account.account a
  set is_reachable = p_is_reachable
  where a.telegram_id = p_telegram_id and a.is_reachable <> p_is_reachable;

  return query select p_telegram_id;
end
$$;

comment on function account.set_reachable is
  'False after Telegram said that the user blocked the bot; true when the user writes again. Safe'
  ' to call again.';

grant execute on function account.set_reachable to atlas_bot, atlas_worker, atlas_dba;
