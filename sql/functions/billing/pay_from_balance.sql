-- Pays an open purchase from the balance.
-- Locks: user, wallet.
-- Raises: WA001, PU001, PU002, PU003, US001, US002, 22023, OP001, OP003.
create or replace function billing.pay_from_balance(p_telegram_id bigint, p_purchase_id uuid)
returns table (
  purchase_id uuid, status text, available_kopecks bigint,
  subscription_expires_at timestamptz, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_now timestamptz;
  v_kind billing.purchase_kind;
  v_status billing.purchase_status;
  v_tariff text;
  v_months int;
  v_price_kopecks bigint;
  v_expires_at timestamptz;
  v_paid_with text;
  v_version bigint;
  v_held_kopecks bigint;
  v_debt_kopecks bigint;
begin
  perform core._guard('payments');
  if (p_telegram_id between 1 and 4503599627370495) is not true or p_purchase_id is null then
    perform core._refuse('22023', 'p_telegram_id: 1 to 2^52 - 1; p_purchase_id: not null');
  end if;
  v_is_blocked := account._lock(p_telegram_id);
  v_now := core.now();

  select u.status, u.kind, u.tariff, u.months, u.price_kopecks, u.expires_at, u.paid_with,
         u.available_after_kopecks, u.after_expires_at
  into v_status, v_kind, v_tariff, v_months, v_price_kopecks, v_expires_at, v_paid_with,
       pay_from_balance.available_kopecks, pay_from_balance.subscription_expires_at
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  end if;

  pay_from_balance.purchase_id := p_purchase_id;
  pay_from_balance.status := 'paid';
  pay_from_balance.is_replay := coalesce(v_paid_with in ('balance', 'free'), false);
  if pay_from_balance.is_replay then
    return next;
    return;
  end if;

  if v_is_blocked or v_kind = 'topup' or v_status <> 'open' or v_expires_at <= v_now then
    perform billing._refuse_to_pay(p_telegram_id, p_purchase_id, v_kind, v_status, v_expires_at);
  end if;

  if v_price_kopecks > 0 then -- as ledger._post does, in fewer steps
    update wallet.wallet w
    set available_kopecks = w.available_kopecks - v_price_kopecks, version = w.version + 1
    where w.telegram_id = p_telegram_id and w.available_kopecks >= v_price_kopecks
    returning w.version, w.available_kopecks, w.held_kopecks, w.debt_kopecks
    into v_version, pay_from_balance.available_kopecks, v_held_kopecks, v_debt_kopecks;
    if not found then
      perform ledger._refuse_unfunded(p_telegram_id, v_price_kopecks);
    end if;

    insert into ledger.transfer (
      telegram_id, version, debit_account, credit_account, reason, amount_kopecks,
      available_kopecks, held_kopecks, debt_kopecks, created_at, purchase_id)
    values (p_telegram_id, v_version, 'available', 'revenue', 'purchase', v_price_kopecks,
            pay_from_balance.available_kopecks, v_held_kopecks, v_debt_kopecks, v_now,
            p_purchase_id);
  else
    pay_from_balance.available_kopecks := (wallet.balance(p_telegram_id)).available_kopecks;
  end if;
  pay_from_balance.subscription_expires_at := billing._fulfil(
    p_telegram_id, p_purchase_id, v_tariff, v_months, v_price_kopecks,
    case when v_price_kopecks > 0 then 'balance' else 'free' end, null,
    pay_from_balance.available_kopecks, v_now);
  return next;
end
$$;

comment on function billing.pay_from_balance is
  'Takes the recorded price from the balance and extends the subscription, in one transaction; '
  'the key is delivered by a job written in it. Its own key: a second call gives the first answer'
  ' with is_replay = true.';

grant execute on function billing.pay_from_balance to atlas_bot, atlas_dba;
