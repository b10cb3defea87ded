-- Refuses anybody who is not an admin now, and keeps the admin one until the transaction ends.
-- Locks: account.admin row (share).
-- Raises: US003.
create or replace function account._require_admin(p_admin_id bigint)
returns void
language plpgsql
volatile
as $$
declare
  v_is_active boolean;
begin
  select a.is_active into v_is_active
  from account.admin a
  where a.telegram_id = p_admin_id
  for share;
  if v_is_active is not true then
    perform core._refuse('US003', format('telegram_id %s', p_admin_id));
  end if;
end
$$;

comment on function account._require_admin is
  'Checks the acting admin and blocks a revocation meanwhile.';
