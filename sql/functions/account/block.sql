-- Stops a user from buying.
-- Locks: account.admin row (share), user, account.draft row.
-- Raises: US001, US003, US004, 22023, OP001.
create or replace function account.block(
  p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid default null)
returns table (telegram_id bigint, is_blocked boolean, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._guard();
  block.is_replay := account._set_blocked(
    p_admin_id, p_telegram_id, p_reason, true, p_draft_id);
  return query
  select a.telegram_id::bigint, a.is_blocked, block.is_replay
  from account.account a where a.telegram_id = p_telegram_id;
end
$$;

comment on function account.block is
  'A blocked user buys nothing and starts nothing; received money goes to the balance, and what '
  'is paid for stays. Works with every switch off. Safe to call again; with p_draft_id, of '
  'account.draft_action, a repeat changes nothing, whatever was done since.';

grant execute on function account.block to atlas_admin, atlas_dba;
