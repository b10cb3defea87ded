-- Books received money: finds whose it is, takes the charge id, applies or credits it.
-- Locks: user, promo.use (row exclusive) for a late purchase with a code, wallet.
-- Raises: nothing.
create or replace function billing._settle(
  p_provider text, p_charge_id text, p_purchase_id uuid, p_payer_id bigint,
  p_amount_minor bigint, p_currency text, p_raw jsonb)
returns table (
  payment_id bigint, outcome text, telegram_id bigint, credited_kopecks bigint,
  subscription_expires_at timestamptz, is_replay boolean)
language plpgsql
volatile
as $$
#variable_conflict use_column
declare
  v_money record;
  v_is_blocked boolean;
  v_payment_id bigint := nextval('billing.payment_id');
  v_now timestamptz;
begin
  select m.telegram_id, m.owner_id, m.worth_kopecks, m.problem into v_money
  from billing._identify_payment(p_provider, p_purchase_id, p_payer_id, p_amount_minor,
                                 p_currency) m;
  if v_money.problem is null then
    v_is_blocked := account._lock(v_money.telegram_id);
  end if;
  v_now := core.now();

  insert into billing.charge (provider, charge_id, telegram_id, payment_id)
  values (p_provider, p_charge_id,
          case when v_money.problem is null then v_money.telegram_id else 0 end, v_payment_id)
  on conflict on constraint charge_pkey do nothing;
  if not found then
    perform billing._alarm_if_amount_differs(p_provider, p_charge_id, p_amount_minor, p_currency);
    return query select a.*, true from billing._payment_answer(p_provider, p_charge_id) a;
    return;
  end if;

  insert into billing.payment (
    telegram_id, payment_id, provider, charge_id, purchase_id, payer_id, amount_minor, currency,
    worth_kopecks, credited_kopecks, outcome, suspense_reason, received_at, raw)
  values (
    case when v_money.problem is null then v_money.telegram_id else 0 end, v_payment_id,
    p_provider, p_charge_id, p_purchase_id, p_payer_id, p_amount_minor, p_currency,
    v_money.worth_kopecks, 0,
    case when v_money.problem is null then 'credited' else 'suspense' end
      ::billing.payment_outcome,
    v_money.problem, v_now, p_raw);

  if v_money.problem is null then
    perform billing._apply_payment(v_money.telegram_id, v_money.owner_id, v_is_blocked,
                                   p_purchase_id, v_payment_id, p_provider,
                                   v_money.worth_kopecks, v_now);
  else
    perform ops._alarm('payment_in_suspense', 'payment:' || v_payment_id, format(
      '%s %s %s: %s', p_provider, p_amount_minor, p_currency, v_money.problem));
  end if;

  return query select a.*, false from billing._payment_answer(p_provider, p_charge_id) a;
end
$$;

comment on function billing._settle is 'settle_payment after its arguments were checked.';
