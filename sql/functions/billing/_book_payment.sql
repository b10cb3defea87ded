-- Writes a payment's ledger rows and tells the payer what went to the balance.
-- Locks: wallet.
-- Raises: nothing.
create or replace function billing._book_payment(
  p_telegram_id bigint, p_purchase_id uuid, p_payment_id bigint, p_revenue_kopecks bigint,
  p_credit_kopecks bigint, p_why text, p_now timestamptz)
returns bigint
language plpgsql
volatile
as $$
declare
  v_available_kopecks bigint;
begin
  if p_revenue_kopecks > 0 then
    v_available_kopecks := (ledger._post(
      p_telegram_id, 'provider_purchase', 'provider', 'revenue', p_revenue_kopecks, p_now,
      p_purchase_id => p_purchase_id, p_payment_id => p_payment_id)).available_kopecks;
  end if;

  if p_credit_kopecks > 0 then
    v_available_kopecks := (ledger._post(
      p_telegram_id,
      case when p_why = 'topup' then 'topup' else 'provider_excess' end::ledger.reason,
      'provider', 'available', p_credit_kopecks, p_now,
      p_purchase_id => p_purchase_id, p_payment_id => p_payment_id)).available_kopecks;

    insert into outbox.task (
      telegram_id, kind, name, due_at, created_at, purchase_id, amount_kopecks, arguments)
    values (p_telegram_id, 'message',
            case when p_why = 'promo_used_up' then p_why else 'payment_credited' end,
            p_now, p_now, p_purchase_id, p_credit_kopecks,
            jsonb_build_object('reason', coalesce(p_why, 'overpaid')));
  end if;
  if p_why = 'promo_used_up' then
    perform ops._alarm(p_why, 'purchase:' || p_purchase_id, format(
      'paid late by telegram_id %s: %s kopecks credited', p_telegram_id, p_credit_kopecks));
  end if;

  return v_available_kopecks;
end
$$;

comment on function billing._book_payment is
  'The ledger side of a payment. reason in the message: topup, overpaid, other_payer, blocked, '
  'already_paid or underpaid; promo_used_up has a message of its own, and an alarm.';
