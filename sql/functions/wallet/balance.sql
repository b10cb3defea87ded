-- A user's balances now.
-- Locks: none.
-- Raises: US001, 22023.
create or replace function wallet.balance(p_telegram_id bigint)
returns table (
  available_kopecks bigint, held_kopecks bigint, version bigint, debt_kopecks bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);

  return query
  select w.available_kopecks::bigint, w.held_kopecks::bigint, w.version, w.debt_kopecks::bigint
  from wallet.wallet w
  where w.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

comment on function wallet.balance is
  'Available, held by pending withdrawals, and debt, in kopecks; version counts the ledger rows. '
  'Reads only.';

grant execute on function wallet.balance to
  atlas_bot, atlas_admin, atlas_worker, atlas_auditor, atlas_dba;
