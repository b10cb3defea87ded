-- Gives what a purchase was paid for: the subscription, its provisioning job, the receipt.
-- Locks: the subscription's row; the caller holds the user's lock.
-- Raises: nothing.
create or replace function billing._fulfil(
  p_telegram_id bigint, p_purchase_id uuid, p_tariff text, p_months int, p_paid_with text,
  p_payment_id bigint, p_available_kopecks bigint, p_now timestamptz)
returns timestamptz
language plpgsql
volatile
as $$
declare
  v_before_tariff text;
  v_before_expires_at timestamptz;
  v_is_trial boolean;
  v_vpn_uuid uuid;
  v_expires_at timestamptz;
  v_task_id bigint := nextval('outbox.task_id');
begin
  select s.tariff, s.expires_at, s.is_trial, s.vpn_uuid
  into v_before_tariff, v_before_expires_at, v_is_trial, v_vpn_uuid
  from subscription.subscription s
  where s.telegram_id = p_telegram_id;
  if (v_before_expires_at > p_now) is not true then
    v_vpn_uuid := gen_random_uuid(); -- after expiry the identity is a new one
  end if;
  v_expires_at := subscription._end_after(
    p_now, p_tariff, p_months, v_before_tariff, v_before_expires_at, v_is_trial);

  insert into subscription.subscription as s (
    telegram_id, tariff, expires_at, activation, vpn_uuid, expiry_check_at)
  values (p_telegram_id, p_tariff, v_expires_at, 'pending', v_vpn_uuid, v_expires_at)
  on conflict on constraint subscription_pkey do update
  set tariff = excluded.tariff,
      is_trial = false,
      expires_at = excluded.expires_at,
      activation = case when s.vpn_uuid = excluded.vpn_uuid and s.activation = 'active'
                        then s.activation else 'pending' end,
      key_uri = case when s.vpn_uuid = excluded.vpn_uuid then s.key_uri end,
      vpn_uuid = excluded.vpn_uuid,
      expiry_check_at = least(s.expiry_check_at, excluded.expires_at);

  insert into outbox.task (
    telegram_id, task_id, kind, name, due_at, created_at, purchase_id, vpn_uuid)
  values
    (p_telegram_id, v_task_id, 'provision', 'add', p_now, p_now, p_purchase_id, v_vpn_uuid),
    (p_telegram_id, nextval('outbox.task_id'), 'message', 'payment_applied', p_now, p_now,
     p_purchase_id, null);

  update billing.purchase u
  set status = 'paid',
      closed_at = p_now,
      paid_with = p_paid_with,
      payment_id = p_payment_id,
      before_tariff = v_before_tariff,
      before_expires_at = v_before_expires_at,
      after_expires_at = v_expires_at,
      available_after_kopecks = p_available_kopecks,
      provision_task_id = v_task_id
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;

  return v_expires_at;
end
$$;

comment on function billing._fulfil is
  'The one place where a paid purchase becomes a subscription, in the transaction that moved the '
  'money.';
