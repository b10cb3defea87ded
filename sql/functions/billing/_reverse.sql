-- Takes back what a settled payment gave: credited money, its purchase, a refund of that.
-- Locks: wallet, subscription; the caller holds the user's lock and the charge.
-- Raises: nothing.
create or replace function billing._reverse(
  p_telegram_id bigint, p_payment_id bigint, p_raw jsonb, p_now timestamptz)
returns void
language plpgsql
volatile
as $$
declare
  v_paid record;
  v_debt_kopecks bigint := 0;
begin
  select p.purchase_id, p.worth_kopecks, p.credited_kopecks,
         p.worth_kopecks - p.credited_kopecks as revenue_kopecks, u.status,
         u.kind is not distinct from 'subscription' as is_subscription, r.refunded_kopecks
  into strict v_paid
  from billing.payment p
  left join billing.purchase u on u.telegram_id = p.telegram_id
    and u.purchase_id = p.purchase_id and u.payment_id = p.payment_id
  left join billing.refund r on r.telegram_id = u.telegram_id and r.purchase_id = u.purchase_id
  where p.telegram_id = p_telegram_id and p.payment_id = p_payment_id;

  if v_paid.is_subscription and v_paid.status = 'paid' then
    perform billing._take_back(p_telegram_id, v_paid.purchase_id, 'reversal', 0, null, null, p_now);
    if v_paid.revenue_kopecks > 0 then
      perform ledger._post(
        p_telegram_id, 'reversal', 'revenue', 'provider', v_paid.revenue_kopecks, p_now,
        p_purchase_id => v_paid.purchase_id, p_payment_id => p_payment_id);
    end if;
  elsif v_paid.revenue_kopecks > 0 then -- refunded since: it is on the balance, or was
    v_debt_kopecks := billing._take_money(p_telegram_id, 'provider', v_paid.revenue_kopecks,
                                          v_paid.purchase_id, p_payment_id, p_now);
    if v_paid.refunded_kopecks > v_paid.revenue_kopecks then -- paid a little short
      v_debt_kopecks := v_debt_kopecks + billing._take_money(
        p_telegram_id, 'revenue', v_paid.refunded_kopecks - v_paid.revenue_kopecks,
        v_paid.purchase_id, p_payment_id, p_now);
    end if;
  end if;
  if v_paid.credited_kopecks > 0 then
    v_debt_kopecks := v_debt_kopecks + billing._take_money(
      p_telegram_id, 'provider', v_paid.credited_kopecks, v_paid.purchase_id, p_payment_id, p_now);
  end if;

  update billing.payment p
  set outcome = 'reversed', reversed_at = p_now, reversal_debt_kopecks = v_debt_kopecks,
      reversal_raw = p_raw
  where p.telegram_id = p_telegram_id and p.payment_id = p_payment_id;

  insert into outbox.task (
    telegram_id, kind, name, due_at, created_at, purchase_id, amount_kopecks, arguments)
  values (p_telegram_id, 'message', 'payment_reversed', p_now, p_now, v_paid.purchase_id,
          v_paid.worth_kopecks, jsonb_build_object('debt_kopecks', v_debt_kopecks));
end
$$;

comment on function billing._reverse is
  'All that came from the provider goes back to it, from where it is now: revenue, the balance, '
  'or debt.';
