-- Refuses anybody who is not an admin now, for functions that only read.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function account._only_admins(p_admin_id bigint)
returns void
language plpgsql
stable
as $$
begin
  perform core._require(p_admin_id is not null, 'p_admin_id: who asks');
  if not exists (
    select 1 from account.admin a where a.telegram_id = p_admin_id and a.is_active) then
    perform core._refuse('US003', format('telegram_id %s', p_admin_id));
  end if;
end
$$;

comment on function account._only_admins is
  'Checks an admin who looks at something. Who changes something: account._require_admin.';
