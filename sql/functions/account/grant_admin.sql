-- Makes a user an admin.
-- Locks: account.admin row.
-- Raises: US001, 22023, OP001.
create or replace function account.grant_admin(p_telegram_id bigint, p_note text)
returns table (telegram_id bigint, is_admin boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform account._set_admin(p_telegram_id, p_note, true);
  return query select p_telegram_id, true;
end
$$;

comment on function account.grant_admin is
  'Makes a registered user an admin, with the reason why. For the database owner and DBAs only; '
  'the application cannot make admins. Safe to call again.';

grant execute on function account.grant_admin to atlas_dba;
