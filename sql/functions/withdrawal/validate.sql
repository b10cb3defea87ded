-- Whether a user could withdraw an amount now.
-- Locks: none.
-- Raises: WA001, WD003, WD004, US001, US002, 22023, OP003.
create or replace function withdrawal.validate(p_telegram_id bigint, p_amount_kopecks bigint)
returns table (amount_kopecks bigint, left_kopecks bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
begin
  perform core._require_feature('withdrawals');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_amount_kopecks between 1 and 1000000000000,
                        'p_amount_kopecks: 1 to 10^12');
  select a.is_blocked into v_is_blocked
  from account.account a
  where a.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  perform withdrawal._require_may(p_telegram_id, v_is_blocked, p_amount_kopecks, core.now());

  return query
  select p_amount_kopecks, w.available_kopecks - p_amount_kopecks
  from wallet.wallet w
  where w.telegram_id = p_telegram_id;
end
$$;

comment on function withdrawal.validate is
  'Refuses what withdrawal.draft and request would refuse, before anybody is asked where to pay; '
  'left_kopecks would stay on the balance. Holds nothing and promises nothing. Reads only.';

grant execute on function withdrawal.validate to atlas_bot, atlas_dba;
