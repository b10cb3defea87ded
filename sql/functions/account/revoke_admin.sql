-- Takes an admin's rights away.
-- Locks: account.admin row.
-- Raises: US001, 22023, OP001.
create or replace function account.revoke_admin(p_telegram_id bigint, p_note text)
returns table (telegram_id bigint, is_admin boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform account._set_admin(p_telegram_id, p_note, false);
  return query select p_telegram_id, false;
end
$$;

comment on function account.revoke_admin is
  'Takes the rights of an admin away; what the admin has in hand fails from its next lock on. '
  'Safe to call again.';

grant execute on function account.revoke_admin to atlas_dba;
