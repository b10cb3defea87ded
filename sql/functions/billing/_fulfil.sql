-- Gives what a purchase was paid for: the subscription, its job, the receipt, the cashback's task.
-- Locks: the subscription's row; the caller holds the user's lock.
-- Raises: nothing.
create or replace function billing._fulfil(
  p_telegram_id bigint, p_purchase_id uuid, p_tariff text, p_months int, p_price_kopecks bigint,
  p_paid_with text, p_payment_id bigint, p_available_kopecks bigint, p_now timestamptz)
returns timestamptz
language plpgsql
volatile
as $$
declare
  v_referrer_id bigint;
  v_before_tariff text;
  v_before_expires_at timestamptz;
  v_before_period subscription.period;
  v_vpn_uuid uuid;
  v_starts_at timestamptz;
  v_expires_at timestamptz;
  v_task_id bigint := nextval('outbox.task_id');
begin
  select a.referrer_id, s.tariff, s.expires_at, s.period, s.vpn_uuid
  into v_referrer_id, v_before_tariff, v_before_expires_at, v_before_period, v_vpn_uuid
  from account.account a
  left join subscription.subscription s on s.telegram_id = a.telegram_id
  where a.telegram_id = p_telegram_id;
  if (v_before_expires_at > p_now) is not true then
    if v_before_expires_at is not null then
      perform subscription._retire(p_telegram_id, p_now);
    end if;
    v_vpn_uuid := gen_random_uuid(); -- after expiry the identity is a new one
  end if;
  v_starts_at := subscription._start_after(
    p_now, p_tariff, v_before_tariff, v_before_expires_at, v_before_period);
  v_expires_at := subscription._add_months(v_starts_at, p_months);

  perform subscription._extend(p_telegram_id, p_tariff, v_expires_at, v_vpn_uuid, p_now);

  insert into outbox.task (
    telegram_id, task_id, kind, name, due_at, created_at, purchase_id, vpn_uuid,
    amount_kopecks, other_id)
  select t.telegram_id, t.task_id, t.kind, t.name, p_now, p_now, p_purchase_id, t.vpn_uuid,
         t.amount_kopecks, t.other_id
  from (values
    (p_telegram_id, v_task_id, 'provision'::outbox.kind, 'add', v_vpn_uuid, null::bigint,
     null::bigint),
    (p_telegram_id, nextval('outbox.task_id'), 'message', 'payment_applied', null, null, null),
    (v_referrer_id, nextval('outbox.task_id'), 'cashback', 'reward', null, p_price_kopecks,
     p_telegram_id)
  ) t (telegram_id, task_id, kind, name, vpn_uuid, amount_kopecks, other_id)
  where t.telegram_id is not null and (t.kind <> 'cashback' or p_price_kopecks > 0);

  update billing.purchase u
  set status = 'paid',
      closed_at = p_now,
      paid_with = p_paid_with,
      payment_id = p_payment_id,
      before_tariff = v_before_tariff,
      before_expires_at = v_before_expires_at,
      before_period = v_before_period,
      period_starts_at = v_starts_at,
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
