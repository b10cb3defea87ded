-- Lets a blocked user buy again.
-- Locks: account.admin row (share), user, account.draft row.
-- Raises: US001, US003, US004, 22023, OP001, OP003.
create or replace function account.unblock(
  p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid default null)
returns table (telegram_id bigint, is_blocked boolean, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._guard('admin_actions');
  unblock.is_replay := account._set_blocked(
    p_admin_id, p_telegram_id, p_reason, false, p_draft_id);
  return query
  select a.telegram_id::bigint, a.is_blocked, unblock.is_replay
  from account.account a where a.telegram_id = p_telegram_id;
end
$$;

comment on function account.unblock is
  'Lifts account.block. Safe to call again; with p_draft_id, of account.draft_action, a repeat '
  'changes nothing, whatever was done since.';

grant execute on function account.unblock to atlas_admin, atlas_dba;
