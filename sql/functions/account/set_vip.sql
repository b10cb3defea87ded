-- Makes a user a VIP, or not.
-- Locks: account.admin row (share), user, account.draft row.
-- Raises: US001, US003, US004, 22023, OP001, OP003.
create or replace function account.set_vip(
  p_admin_id bigint, p_telegram_id bigint, p_is_vip boolean, p_draft_id uuid default null)
returns table (telegram_id bigint, discount_percent int, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_is_vip is not null, 'p_is_vip: true or false');
  perform account._require_admin(p_admin_id);
  perform account._lock(p_telegram_id);
  set_vip.is_replay := not account._take_draft(p_admin_id, p_draft_id, 'set_vip');

  update account.account a
  set is_vip = p_is_vip
  where a.telegram_id = p_telegram_id and a.is_vip <> p_is_vip and not set_vip.is_replay;
  if found then
    perform audit._record('account.set_vip', p_admin_id, p_telegram_id::text,
                          jsonb_build_object('is_vip', p_is_vip));
  end if;

  return query
  select p_telegram_id, account._discount_percent(p_telegram_id, core.now()), set_vip.is_replay;
end
$$;

comment on function account.set_vip is
  'VIPs have a discount of 30 % (setting vip_discount_percent). discount_percent is what the user '
  'has now, the larger of VIP and personal. Safe to call again; with p_draft_id, of '
  'account.draft_action, a repeat changes nothing, whatever was done since.';

grant execute on function account.set_vip to atlas_admin, atlas_dba;
