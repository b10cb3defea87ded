-- Gives a subscription in force a new VPN identity; the node gets it, then loses the old one.
-- Locks: subscription; the caller holds the user's lock.
-- Raises: nothing.
create or replace function vpn._reissue(
  p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text, p_now timestamptz,
  p_request_id bigint default null)
returns uuid
language plpgsql
volatile
as $$
declare
  v_vpn_uuid uuid := gen_random_uuid();
begin
  insert into subscription.change (
    telegram_id, change_id, kind, before_tariff, before_expires_at, before_period, after_tariff,
    after_expires_at, after_period, vpn_uuid, actor_id, idempotency_key, changed_at)
  select s.telegram_id, nextval('outbox.task_id'), 'reissue', s.tariff, s.expires_at, s.period,
         s.tariff, s.expires_at, s.period, v_vpn_uuid, p_admin_id, p_idempotency_key, p_now
  from subscription.subscription s where s.telegram_id = p_telegram_id;

  insert into outbox.task (telegram_id, kind, name, due_at, created_at, vpn_uuid, other_id)
  values (p_telegram_id, 'provision', 'add', p_now, p_now, v_vpn_uuid, p_request_id);
  -- After it: no moment without a key.
  perform subscription._retire(p_telegram_id, p_now, p_request_id);
  update subscription.subscription s
  set vpn_uuid = v_vpn_uuid, activation = 'pending', key_uri = null
  where s.telegram_id = p_telegram_id;

  perform audit._record('vpn.reissue', coalesce(p_admin_id, p_telegram_id), p_telegram_id::text);
  return v_vpn_uuid;
end
$$;

comment on function vpn._reissue is
  'For vpn.reissue and vpn.reissue_due. p_admin_id null: by the user. p_request_id: of '
  'vpn.reissue_request, if it is for everybody.';
