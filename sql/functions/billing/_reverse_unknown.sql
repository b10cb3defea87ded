-- Notes the reversal of a charge that has not been heard of: its payment will then credit nothing.
-- Locks: none.
-- Raises: nothing.
create or replace function billing._reverse_unknown(
  p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text, p_raw jsonb)
returns bigint
language plpgsql
volatile
as $$
declare
  v_payment_id bigint := nextval('billing.payment_id');
  v_now timestamptz;
begin
  insert into billing.charge (provider, charge_id, telegram_id, payment_id)
  values (p_provider, p_charge_id, 0, v_payment_id)
  on conflict on constraint charge_pkey do nothing;
  if not found then
    return null;
  end if;

  v_now := core.now();
  insert into billing.payment (
    telegram_id, payment_id, provider, charge_id, amount_minor, currency, credited_kopecks,
    outcome, reversed_at, reversal_debt_kopecks, reversal_raw, received_at)
  values (0, v_payment_id, p_provider, p_charge_id, p_amount_minor, p_currency, 0, 'reversed',
          v_now, 0, p_raw, v_now);
  return v_payment_id;
end
$$;

comment on function billing._reverse_unknown is
  'The payment''s number; null if the charge is known after all.';
