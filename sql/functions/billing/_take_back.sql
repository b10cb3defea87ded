-- Takes a paid subscription purchase back: its status, its period, its cashback.
-- Locks: subscription; the caller holds the user's lock.
-- Raises: nothing.
create or replace function billing._take_back(
  p_telegram_id bigint, p_purchase_id uuid, p_kind billing.refund_kind,
  p_refunded_kopecks bigint, p_actor_id bigint, p_reason text, p_now timestamptz)
returns timestamptz
language plpgsql
volatile
as $$
declare
  v_state record;
  v_change_id bigint;
  v_restored_from bigint;
  v_expires_at timestamptz;
begin
  select s.expires_at into v_expires_at
  from subscription.subscription s where s.telegram_id = p_telegram_id;

  if v_expires_at > p_now then
    select w.tariff, w.expires_at, w.period, w.restored_from into v_state
    from billing._state_without(p_telegram_id, p_purchase_id, p_now) w;
    v_expires_at := v_state.expires_at;
    v_restored_from := v_state.restored_from;
    perform subscription._change(
      p_telegram_id, p_kind::text::subscription.change_kind, v_state.tariff, v_expires_at,
      v_state.period, p_now, p_purchase_id, p_actor_id, p_reason);
    select max(c.change_id) into v_change_id
    from subscription.change c where c.telegram_id = p_telegram_id;
  else -- what is over stays as it is
    update subscription.subscription s
    set auto_renew = false, renew_check_at = null
    where s.telegram_id = p_telegram_id and s.auto_renew;
  end if;

  update billing.purchase u
  set status = 'refunded'
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  insert into billing.refund (
    telegram_id, purchase_id, kind, refunded_kopecks, subscription_expires_at, change_id,
    restored_from, actor_id, reason, refunded_at)
  values (
    p_telegram_id, p_purchase_id, p_kind, p_refunded_kopecks, v_expires_at, v_change_id,
    v_restored_from, p_actor_id, p_reason, p_now);

  insert into outbox.task (
    telegram_id, kind, name, due_at, created_at, purchase_id, amount_kopecks, other_id)
  select a.referrer_id, 'cashback', 'clawback', p_now, p_now, p_purchase_id, u.price_kopecks,
         p_telegram_id
  from account.account a
  join billing.purchase u on u.telegram_id = a.telegram_id and u.purchase_id = p_purchase_id
  where a.telegram_id = p_telegram_id and a.referrer_id is not null and u.price_kopecks > 0;

  return v_expires_at;
end
$$;

comment on function billing._take_back is
  'Shared by refund_purchase and reverse_payment. Auto-renewal stops; no promo use comes back.';
