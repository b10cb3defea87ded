-- Stops a user from buying.
-- Locks: account.admin row (share), user.
-- Raises: US001, US003, 22023, OP001.
create or replace function account.block(
  p_admin_id bigint, p_telegram_id bigint, p_reason text)
returns table (telegram_id bigint, is_blocked boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._guard();
  perform account._set_blocked(p_admin_id, p_telegram_id, p_reason, true);
  return query select p_telegram_id, true;
end
$$;

comment on function account.block is
  'A blocked user buys nothing and starts nothing; received money goes to the balance, and what '
  'is paid for stays. Works with every switch off. Safe to call again.';

grant execute on function account.block to atlas_admin, atlas_dba;
