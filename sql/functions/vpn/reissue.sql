-- Gives a subscription a new VPN identity, and so a new key.
-- Locks: account.admin row (share), user, subscription.
-- Raises: SU001, US001, US002, US003, ID001, 22023, OP001, OP003.
create or replace function vpn.reissue(
  p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text)
returns table (vpn_uuid uuid, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_now timestamptz;
  v_first record;
begin
  perform core._guard(case when p_admin_id is not null then 'admin_actions' end);
  perform core._require_user_id(p_telegram_id);
  perform core._require_key(p_idempotency_key);
  if p_admin_id is not null then
    perform account._require_admin(p_admin_id);
  end if;
  v_is_blocked := account._lock(p_telegram_id);
  v_now := core.now();

  select f.is_found, f.vpn_uuid into v_first
  from subscription._find_change(p_telegram_id, 'reissue', p_idempotency_key, p_admin_id,
                                 null, null, null, true) f;
  if v_first.is_found then
    return query select v_first.vpn_uuid, true;
    return;
  elsif v_is_blocked and p_admin_id is null then
    perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
  elsif not exists (select 1 from subscription.subscription s
                    where s.telegram_id = p_telegram_id and s.expires_at > v_now) then
    perform core._refuse('SU001', format('telegram_id %s has none in force', p_telegram_id));
  end if;

  return query
  select vpn._reissue(p_telegram_id, p_admin_id, p_idempotency_key, v_now), false;
end
$$;

comment on function vpn.reissue is
  'By the user (p_admin_id null) or by an admin. The node gets the new identity, then loses the '
  'old one; the new key goes out as message key_ready; the end stays. Idempotent by '
  'p_idempotency_key.';

grant execute on function vpn.reissue to atlas_bot, atlas_admin, atlas_dba;
