-- Lets a blocked user buy again.
-- Locks: account.admin row (share), user.
-- Raises: US001, US003, 22023, OP001, OP003.
create or replace function account.unblock(
  p_admin_id bigint, p_telegram_id bigint, p_reason text)
returns table (telegram_id bigint, is_blocked boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._guard('admin_actions');
  perform account._set_blocked(p_admin_id, p_telegram_id, p_reason, false);
  return query select p_telegram_id, false;
end
$$;

comment on function account.unblock is
  'Lifts account.block. Safe to call again.';

grant execute on function account.unblock to atlas_admin, atlas_dba;
