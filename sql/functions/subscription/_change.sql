-- Puts a subscription into a new state beside a purchase: the row, its chain, the node's job.
-- Locks: subscription; the caller holds the user's lock.
-- Raises: nothing.
create or replace function subscription._change(
  p_telegram_id bigint, p_kind subscription.change_kind, p_tariff text,
  p_expires_at timestamptz, p_period subscription.period, p_now timestamptz,
  p_purchase_id uuid default null, p_actor_id bigint default null, p_reason text default null,
  p_duration interval default null, p_idempotency_key text default null,
  p_is_told boolean default true)
returns void
language plpgsql
volatile
as $$
declare
  v_change_id bigint := nextval('outbox.task_id');
  v_before record;
  v_is_active boolean := coalesce(p_expires_at > p_now, false);
  v_vpn_uuid uuid;
begin
  select s.tariff, s.expires_at, s.period, s.vpn_uuid, s.activation,
         s.expires_at > p_now as is_active
  into v_before
  from subscription.subscription s where s.telegram_id = p_telegram_id;
  v_vpn_uuid := case when v_before.is_active or not v_is_active then v_before.vpn_uuid
                     else gen_random_uuid() end; -- after expiry the identity is a new one

  insert into subscription.change (
    telegram_id, change_id, kind, before_tariff, before_expires_at, before_period, after_tariff,
    after_expires_at, after_period, vpn_uuid, duration, purchase_id, actor_id, reason,
    is_told, idempotency_key, changed_at)
  values (
    p_telegram_id, v_change_id, p_kind, v_before.tariff, v_before.expires_at, v_before.period,
    p_tariff, p_expires_at, p_period, v_vpn_uuid, p_duration, p_purchase_id, p_actor_id,
    p_reason, p_is_told, p_idempotency_key, p_now);

  if v_is_active then
    insert into outbox.task (
      telegram_id, kind, name, due_at, created_at, purchase_id, vpn_uuid)
    values (p_telegram_id, 'provision', 'add', p_now, p_now, p_purchase_id, v_vpn_uuid);
  end if;
  if v_before.activation <> 'none' and not (v_is_active and v_before.is_active) then
    perform subscription._retire(p_telegram_id, p_now);
  end if;

  if p_tariff is null then
    delete from subscription.subscription s where s.telegram_id = p_telegram_id;
  elsif v_is_active then
    perform subscription._activate(p_telegram_id, p_tariff, p_expires_at, p_period, v_vpn_uuid,
                                   p_kind in ('refund', 'reversal', 'revoke'), p_now);
  else
    update subscription.subscription s
    set tariff = p_tariff, period = p_period, expires_at = p_expires_at, auto_renew = false,
        activation = 'none', key_uri = null, expiry_check_at = null, renew_check_at = null,
        reminder_check_at = null
    where s.telegram_id = p_telegram_id;
  end if;
end
$$;

comment on function subscription._change is
  'Trials, grants, revocations, refunds, reversals. A null p_tariff leaves no subscription, as '
  'before the first one; an end that is not after p_now leaves an expired one.';
