-- Refuses anybody who is not an admin now.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function account.check_admin(p_admin_id bigint)
returns table (telegram_id bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform account._only_admins(p_admin_id);

  return query select p_admin_id;
end
$$;

comment on function account.check_admin is
  'For screens of admins that ask the database nothing else yet. Whatever changes something checks '
  'the admin again, in its own transaction. Reads only.';

grant execute on function account.check_admin to atlas_admin, atlas_dba;
