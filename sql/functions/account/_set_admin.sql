-- Writes an admin's row and its audit entry.
-- Locks: account.admin row.
-- Raises: US001, 22023, OP001.
create or replace function account._set_admin(
  p_telegram_id bigint, p_note text, p_is_active boolean)
returns void
language plpgsql
volatile
as $$
declare
  v_now timestamptz := core.now();
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(length(p_note) between 1 and 1000, 'p_note: 1 to 1000 characters');

  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  insert into account.admin as a (telegram_id, is_active, note, changed_at)
  values (p_telegram_id, p_is_active, p_note, v_now)
  on conflict on constraint admin_pkey do update
  set is_active = excluded.is_active, note = excluded.note, changed_at = excluded.changed_at
  where a.is_active <> excluded.is_active;

  if found then
    perform audit._record(
      case when p_is_active then 'account.grant_admin' else 'account.revoke_admin' end,
      null, p_telegram_id::text, jsonb_build_object('note', p_note, 'by', session_user));
  end if;
end
$$;

comment on function account._set_admin is 'grant_admin and revoke_admin.';
