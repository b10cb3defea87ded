-- Tells the admins when a charge is repeated with another amount.
-- Locks: none.
-- Raises: nothing.
create or replace function billing._alarm_if_amount_differs(
  p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text)
returns void
language plpgsql
volatile
as $$
declare
  v_first record;
begin
  select p.payment_id, p.amount_minor, p.currency into strict v_first
  from billing.charge c
  join billing.payment p on p.telegram_id = c.telegram_id and p.payment_id = c.payment_id
  where c.provider = p_provider and c.charge_id = p_charge_id;

  if (v_first.amount_minor, v_first.currency) is distinct from (p_amount_minor, p_currency) then
    perform ops._alarm('payment_amount_differs', 'payment:' || v_first.payment_id, format(
      '%s: booked %s %s, repeated with %s %s', p_provider, v_first.amount_minor,
      v_first.currency, p_amount_minor, p_currency));
  end if;
end
$$;

comment on function billing._alarm_if_amount_differs is
  'The booked amount stands; the admins are told.';
